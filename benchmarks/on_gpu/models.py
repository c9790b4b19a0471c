"""Whole models compared with the port and timm's Mixer-B/16, in the same precision."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from rows import Row
from torch import nn

from on_gpu.nets import PRECISIONS, inference, macs_of, mixer, ours, port, training
from on_gpu.setup import Rows, Setup, attempted

DEEP, WIDE = "s2mlp_deep", "s2mlp_wide"
# Shares of the measured peak: what is asked for, and what is hoped for.
BARS = {(DEEP, "training"): 0.44, (WIDE, "training"): 0.57}
GOALS = {
    (DEEP, "training"): 0.54,
    (WIDE, "training"): 0.66,
    (DEEP, "inference"): 0.66,
}
OVER_PORT = {(DEEP, "inference"): 1.5}
TUNED = ", autotuned"  # behind a kind: the compiler times kernels, for the port too
FOUND = {"ours": ours, "port": port}
# In order of value: the deadline cuts off the end.
CASES = (
    (DEEP, "training", "bf16_weights"),
    (DEEP, "inference", ""),
    (WIDE, "training", "bf16_weights"),
    (DEEP, f"inference{TUNED}", ""),
    (WIDE, "inference", ""),
    (DEEP, f"training{TUNED}", "bf16_weights"),
    (DEEP, "training", "bf16"),
    (WIDE, "training", "bf16"),
)


@dataclass(frozen=True)
class Measured:
    """Images a second, the share of the peak, and GiB of memory at most."""

    speed: float
    share: float
    memory: float

    @property
    def words(self) -> str:
        return f"{self.speed:,.0f} images/s, peak memory {self.memory:.1f} GiB"


def models(setup: Setup) -> Rows:
    peak, shares = setup.peak(), dict[tuple[str, str, str], float]()
    for name, kind, precision in CASES:
        label = f"{name}, {precision_text(kind, precision)}"
        measure = partial(one_case, label, name, kind, precision, peak, setup, shares)
        yield from attempted(label, measure)
    untuned = (case[1:] for case in CASES if TUNED not in case[1])
    for kind, precision in dict.fromkeys(untuned):
        label = f"timm's Mixer-B/16, {precision_text(kind, precision)}"
        measure = partial(beside_mixer, label, kind, precision, peak, setup, shares)
        yield from attempted(label, measure)


def precision_text(kind: str, precision: str) -> str:
    return f"{kind} in {PRECISIONS[precision]}" if precision else kind


def one_case(
    label: str,
    name: str,
    kind: str,
    precision: str,
    peak: float,
    setup: Setup,
    shares: dict[tuple[str, str, str], float],
) -> Rows:
    speeds, aim = {}, (name, kind.removesuffix(TUNED))
    for who, build in FOUND.items():
        make = partial(build, name, setup.depth(name), setup)
        found = measured(make, kind, precision, peak, setup)
        speeds[who] = found.speed
        row = partial(Row, measured=found.share, unit="", at_least=True)
        if who == "port":
            yield row(f"{label}, port, of the peak", detail=found.words)
            continue
        shares[name, kind, precision] = found.share
        bar = setup.target(BARS.get(aim))
        yield row(f"{label}, ours, of the peak", target=bar, detail=found.words)
        if goal := setup.target(GOALS.get(aim)):
            yield row(f"{label}, ours, against the goal", target=goal)
    bar = setup.target(OVER_PORT.get(aim))
    times = speeds["ours"] / speeds["port"]
    yield Row(f"{label}, ours / port", times, "×", bar, at_least=True)


def beside_mixer(
    label: str,
    kind: str,
    precision: str,
    peak: float,
    setup: Setup,
    shares: dict[tuple[str, str, str], float],
) -> Rows:
    found = measured(partial(mixer, setup), kind, precision, peak, setup)
    yield Row(f"{label}, of the peak", found.share, "", detail=found.words)
    for name in (DEEP, WIDE):
        if share := shares.get((name, kind, precision)):
            called = f"{name} / Mixer-B/16 per MAC, {precision_text(kind, precision)}"
            yield Row(called, share / found.share, "×")


def measured(
    make: Callable[[], nn.Module], kind: str, precision: str, peak: float, setup: Setup
) -> Measured:
    torch.compiler.reset()
    on_gpu = setup.device.type == "cuda"
    if on_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(setup.device)
    net = make()
    macs = macs_of(net, setup)
    tuned = kind.endswith(TUNED)
    if kind.startswith("training"):
        work, passes = training(net, setup, precision, tuned), 3
    else:
        work, passes = inference(net, setup, tuned), 1
    speed = setup.batch / setup.seconds(work)
    memory = torch.cuda.max_memory_allocated(setup.device) if on_gpu else 0
    return Measured(speed, 2 * macs * passes * speed / peak, memory / 2**30)
