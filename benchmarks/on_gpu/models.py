"""Whole models against the port and timm's Mixer-B/16, each in the same precision."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from rows import Row
from torch import nn

from on_gpu.here import Here, Rows, attempted
from on_gpu.nets import PRECISIONS, inference, macs_of, mixer, ours, port, training

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


def models(here: Here) -> Rows:
    peak, shares = here.peak(), dict[tuple[str, str, str], float]()
    for name, kind, precision in CASES:
        label = f"{name}, {in_words(kind, precision)}"
        measure = partial(one_case, label, name, kind, precision, peak, here, shares)
        yield from attempted(label, measure)
    untuned = (case[1:] for case in CASES if TUNED not in case[1])
    for kind, precision in dict.fromkeys(untuned):
        label = f"timm's Mixer-B/16, {in_words(kind, precision)}"
        measure = partial(beside_mixer, label, kind, precision, peak, here, shares)
        yield from attempted(label, measure)


def in_words(kind: str, precision: str) -> str:
    return f"{kind} in {PRECISIONS[precision]}" if precision else kind


def one_case(
    label: str,
    name: str,
    kind: str,
    precision: str,
    peak: float,
    here: Here,
    shares: dict[tuple[str, str, str], float],
) -> Rows:
    speeds, aim = {}, (name, kind.removesuffix(TUNED))
    for who, build in FOUND.items():
        make = partial(build, name, here.depth(name), here)
        found = measured(make, kind, precision, peak, here)
        speeds[who] = found.speed
        row = partial(Row, measured=found.share, unit="", at_least=True)
        if who == "port":
            yield row(f"{label}, port, of the peak", detail=found.words)
            continue
        shares[name, kind, precision] = found.share
        bar = here.target(BARS.get(aim))
        yield row(f"{label}, ours, of the peak", target=bar, detail=found.words)
        if goal := here.target(GOALS.get(aim)):
            yield row(f"{label}, ours, against the goal", target=goal)
    bar = here.target(OVER_PORT.get(aim))
    times = speeds["ours"] / speeds["port"]
    yield Row(f"{label}, ours / port", times, "×", bar, at_least=True)


def beside_mixer(
    label: str,
    kind: str,
    precision: str,
    peak: float,
    here: Here,
    shares: dict[tuple[str, str, str], float],
) -> Rows:
    found = measured(partial(mixer, here), kind, precision, peak, here)
    yield Row(f"{label}, of the peak", found.share, "", detail=found.words)
    for name in (DEEP, WIDE):
        if share := shares.get((name, kind, precision)):
            called = f"{name} / Mixer-B/16 per MAC, {in_words(kind, precision)}"
            yield Row(called, share / found.share, "×")


def measured(
    make: Callable[[], nn.Module], kind: str, precision: str, peak: float, here: Here
) -> Measured:
    torch.compiler.reset()
    on_gpu = here.device.type == "cuda"
    if on_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(here.device)
    net = make()
    macs = macs_of(net, here)
    tuned = kind.endswith(TUNED)
    if kind.startswith("training"):
        work, passes = training(net, here, precision, tuned), 3
    else:
        work, passes = inference(net, here, tuned), 1
    speed = here.batch / here.seconds(work)
    memory = torch.cuda.max_memory_allocated(here.device) if on_gpu else 0
    return Measured(speed, 2 * macs * passes * speed / peak, memory / 2**30)
