"""Where the time of a GPU goes: ceilings, shift, block, models, the shift's share.

    python benchmarks/gpu.py [--out runs/gpu.jsonl] [--stages ceilings shift …]
    python benchmarks/gpu.py --tiny --device cpu     # every stage, small, anywhere

Stages run in order of value, each in a process of its own and with a deadline of its
own, ten minutes in all; a JSON line per row goes to `--out` as it comes. Images are
224 px, batch 256, random; blocks are compiled one by one, as `train` does it.

    ceilings  products of bf16 matrices in TFLOP/s, copies in TB/s
    shift     GELU and the shift on [256, 14, 14, 384] in each form, compiled
    block     one block in each layout and precision, compiled
    models    deep and wide against the port (clone + slices) and timm's Mixer-B/16
    share     the kernels that hold the shift, of a training step, by the profiler

`--tiny` is for seeing that it runs, compiled by the backend `aot_eager`: its figures
mean nothing and have no targets.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from handwritten import SIZES, cloned_shift, like
from rows import ROOT, Row, line
from torch import Tensor, nn
from torch.nn import functional as F

import s2mlp_dsl as s2
from s2mlp_dsl.train.blocks import compile_blocks

SECONDS = {"ceilings": 40, "shift": 100, "block": 100, "models": 280, "share": 70}
CROSS = ((96, 1, 0), (96, -1, 0), (96, 0, 1), (96, 0, -1))
BF16 = torch.bfloat16


@dataclass(frozen=True)
class Here:
    """The device, and how large things are on it."""

    device: torch.device
    tiny: bool

    @property
    def batch(self) -> int:
        return 2 if self.tiny else 256

    def width(self, name: str) -> int:
        return 32 if self.tiny else int(SIZES[name]["width"])

    @property
    def in_earnest(self) -> bool:
        return self.device.type == "cuda" and not self.tiny

    def target(self, wanted: float) -> float | None:
        return wanted if self.in_earnest else None

    def wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def seconds(self, work: Callable[[], object]) -> float:
        """The median of a pass, after three that compile and warm up."""
        for _ in range(1 if self.tiny else 3):
            work()
        taken, least = [], 2 if self.tiny else 5
        end = time.perf_counter() + (0.0 if self.tiny else 1.0)
        while len(taken) < least or time.perf_counter() < end:
            self.wait()
            start = time.perf_counter()
            work()
            self.wait()
            taken.append(time.perf_counter() - start)
        return statistics.median(taken)

    def peak(self) -> float:
        """FLOP/s of a large product in bf16: what shares are shares of."""
        side = 256 if self.tiny else 8192
        a, b = (torch.randn(side, side, device=self.device, dtype=BF16) for _ in "ab")
        return 2 * side**3 / self.seconds(lambda: a @ b)


def ceilings(here: Here) -> Iterator[Row]:
    yield Row("product of bf16 matrices", here.peak() / 1e12, "TFLOP/s")
    x = torch.empty(2**20 if here.tiny else 2**30, dtype=torch.uint8)
    x, y = x.to(here.device), x.clone().to(here.device)
    rate = 2 * x.nbytes / here.seconds(lambda: y.copy_(x))
    yield Row("copy, read and written", rate / 1e12, "TB/s")


def shift(here: Here) -> Iterator[Row]:
    from s2mlp_dsl.nn.gathered_shift import GatheredShift
    from s2mlp_dsl.nn.one_hot_shift import OneHotShift
    from s2mlp_dsl.nn.shift import SpatialShift
    from s2mlp_dsl.nn.sliced_shift import SlicedShift

    forms: dict[str, Callable[[Tensor], Tensor]] = {
        "GELU alone": lambda x: x,
        "gather": GatheredShift(CROSS, "keep"),
        "clone + slices": cloned_shift,
        "slices": SlicedShift(CROSS, "keep"),
        "select": SpatialShift(CROSS, "keep"),
        "onehot": OneHotShift(CROSS, "keep").to(here.device),
    }
    given = torch.randn(here.batch, 14, 14, 384, device=here.device, dtype=BF16)
    leaf, back = given.clone().requires_grad_(), torch.randn_like(given)
    for name, form in forms.items():
        torch.compiler.reset()
        run = torch.compile(lambda x, form=form: form(F.gelu(x)))

        def forward(run: Callable[[Tensor], Tensor] = run) -> None:
            with torch.no_grad():
                run(given)

        def both(run: Callable[[Tensor], Tensor] = run) -> None:
            leaf.grad = None
            run(leaf).backward(back)

        for label, work in (("forward", forward), ("with backward", both)):
            taken = here.seconds(work)
            detail = f"{taken / given.nbytes * 4.3e12:.1f} U at 4.3 TB/s"
            yield Row(
                f"GELU + shift, {name}, {label}", taken * 1e6, "µs", detail=detail
            )


class Rows(nn.Module):
    """A block on rows [B · H · W, c], a map inside the shift alone."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        b, width = self.block, x.shape[-1]
        y = b.gelu1(b.linear1(x)).view(-1, 14, 14, width)
        x = x + b.norm1(b.linear2(b.shift(y).view(x.shape)))
        return x + b.norm2(b.linear4(b.gelu2(b.linear3(x))))


def block(here: Here) -> Iterator[Row]:
    peak = here.peak()
    for name in SIZES:
        width = here.width(name)
        flops = 20 * width**2 * here.batch * 196
        for layout in ("map", "rows"):
            for precision in ("autocast", "bf16 weights"):
                torch.compiler.reset()
                one = ours(name, 1, here).stack[0]
                net = one if layout == "map" else Rows(one)
                dtype = torch.float32 if precision == "autocast" else BF16
                shape = (here.batch, 14, 14, width)
                shape = shape if layout == "map" else (here.batch * 196, width)
                x = torch.randn(shape, device=here.device, dtype=dtype)
                x.requires_grad_()
                net.to(dtype).compile()
                taken = here.seconds(lambda net=net, x=x: step(net, x, None))
                share = 3 * flops / taken / peak
                detail = f"{taken * 1e3:.2f} ms forward and backward"
                label = f"block of {name}, {layout}, {precision}, of the peak"
                yield Row(label, share, "", detail=detail)


def models(here: Here) -> Iterator[Row]:
    peak = here.peak()
    bars = {"s2mlp_deep": 0.44, "s2mlp_wide": 0.57}
    for name in SIZES:
        depth = 2 if here.tiny else SIZES[name]["depth"]
        for kind in ("training", "inference"):
            speeds = {}
            for who in ("ours", "port"):
                net = (
                    ours(name, depth, here)
                    if who == "ours"
                    else port(name, depth, here)
                )
                speed, share, memory = speed_of(net, kind, peak, here)
                speeds[who] = speed
                detail = f"{speed:,.0f} images/s, peak memory {memory:.1f} GiB"
                bar = bars[name] if who == "ours" and kind == "training" else None
                target = here.target(bar) if bar else None
                label = f"{name}, {kind}, {who}, of the peak"
                yield Row(label, share, "", target, at_least=True, detail=detail)
            bar = (
                here.target(1.5)
                if (name, kind) == ("s2mlp_deep", "inference")
                else None
            )
            found = speeds["ours"] / speeds["port"]
            yield Row(f"{name}, {kind}, ours / port", found, "×", bar, at_least=True)
    from timm.models.mlp_mixer import MlpMixer

    for kind in ("training", "inference"):
        blocks = 2 if here.tiny else 12
        width = here.width("s2mlp_wide")
        net = MlpMixer(patch_size=16, num_blocks=blocks, embed_dim=width)
        speed, share, memory = speed_of(net.to(here.device), kind, peak, here)
        detail = f"{speed:,.0f} images/s, peak memory {memory:.1f} GiB"
        yield Row(f"timm's Mixer-B/16, {kind}, of the peak", share, "", detail=detail)


def share(here: Here) -> Iterator[Row]:
    from torch.profiler import ProfilerActivity, profile

    for name in SIZES:
        net = ours(name, 2 if here.tiny else SIZES[name]["depth"], here)
        compile_blocks(net)
        x = torch.randn(here.batch, 3, 224, 224, device=here.device)
        for _ in range(2):
            step(net, x, BF16)
        on_gpu = here.device.type == "cuda"
        kind = ProfilerActivity.CUDA if on_gpu else ProfilerActivity.CPU
        with profile(activities=[kind]) as seen:
            step(net, x, BF16)
            here.wait()
        times = {
            one.key: one.self_device_time_total if on_gpu else one.self_cpu_time_total
            for one in seen.key_averages()
        }
        total = sum(times.values())
        # GELU and its gradient are in those kernels too: an upper bound.
        holding = sum(taken for key, taken in times.items() if "index" in key)
        detail = f"upper bound: with GELU, of {total / 1e3:.1f} ms"
        label = f"{name}, kernels that hold the shift, of a step"
        yield Row(label, 100 * holding / total, "%", detail=detail)
        yield from cost_of_shift(name, here)


def cost_of_shift(name: str, here: Here) -> Iterator[Row]:
    """The same step with every shift taken out, by the clock."""
    depth, taken = 2 if here.tiny else SIZES[name]["depth"], {}
    for who in ("with", "without"):
        torch.compiler.reset()
        net = ours(name, depth, here)
        if who == "without":
            for one in net.stack:
                one.shift = nn.Identity()
        compile_blocks(net)
        x = torch.randn(here.batch, 3, 224, 224, device=here.device)
        taken[who] = here.seconds(lambda net=net, x=x: step(net, x, BF16))
    found = 100 * (1 - taken["without"] / taken["with"])
    detail = f"{taken['with'] * 1e3:.1f} ms, {taken['without'] * 1e3:.1f} without"
    label = f"{name}, the shift, of a training step"
    yield Row(label, found, "%", here.target(1.0), detail=detail)


def ours(name: str, depth: int, here: Here) -> nn.Module:
    """A model as it is built for a GPU, whatever device tries it."""
    kind = "affine" if SIZES[name]["affine"] else "layer"
    sizes = {"width": here.width(name), "depth": depth, "norm_kind": kind}
    program = s2.elaborate(ROOT / "specs/s2mlp.arch", settings=sizes)
    return program.build(lowering="gather").to(here.device)


def port(name: str, depth: int, here: Here) -> nn.Module:
    return like(name, depth=depth, width=here.width(name)).to(here.device)


def speed_of(
    net: nn.Module, kind: str, peak: float, here: Here
) -> tuple[float, float, float]:
    """Images/s, share of the peak, GiB of memory at most."""
    torch.compiler.reset()
    macs = macs_of(net, here)
    x = torch.randn(here.batch, 3, 224, 224, device=here.device)
    if kind == "inference":
        net, x = net.to(BF16).eval(), x.to(BF16)
    compile_blocks(net)
    if here.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(here.device)
    optimizer = torch.optim.AdamW(net.parameters(), fused=True)

    def train() -> None:
        step(net, x, BF16)
        optimizer.step()

    def infer() -> None:
        with torch.inference_mode():
            net(x)

    speed = here.batch / here.seconds(train if kind == "training" else infer)
    passes = 3 if kind == "training" else 1
    on_gpu = here.device.type == "cuda"
    memory = torch.cuda.max_memory_allocated(here.device) if on_gpu else 0
    return speed, 2 * macs * passes * speed / peak, memory / 2**30


def step(net: nn.Module, x: Tensor, autocast: torch.dtype | None) -> None:
    """Forward and backward."""
    net.zero_grad()
    mixed = autocast is not None or x.dtype == torch.float32
    with torch.autocast(x.device.type, BF16, enabled=mixed):
        loss = net(x).float().sum()
    loss.backward()


def macs_of(net: nn.Module, here: Here) -> float:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(torch.randn(1, 3, 224, 224, device=here.device))
    return counter.get_total_flops() / 2


STAGES = {
    "ceilings": ceilings,
    "shift": shift,
    "block": block,
    "models": models,
    "share": share,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("runs/gpu.jsonl"))
    parser.add_argument("--stages", nargs="+", default=list(STAGES), choices=STAGES)
    parser.add_argument("--alone", choices=STAGES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.out.parent.mkdir(parents=True, exist_ok=True)
    if given.alone:
        here = Here(torch.device(given.device), given.tiny)
        if given.tiny:
            torch.compile = partial(torch.compile, backend="aot_eager")
        with given.out.open("a") as out:
            for row in STAGES[given.alone](here):
                print(line(row), flush=True)
                record = {"stage": given.alone, **row.record}
                print(json.dumps(record, ensure_ascii=False), file=out, flush=True)
        return
    late = [name for name in given.stages if not ran(name, given)]
    sys.exit(f"not finished: {', '.join(late)}" if late else 0)


def ran(name: str, given: argparse.Namespace) -> bool:
    """Run a stage in a process of its own; what it printed by its deadline stays."""
    command = [sys.executable, __file__, "--alone", name, "--device", given.device]
    command += ["--out", str(given.out), *(["--tiny"] if given.tiny else [])]
    print(f"\n{name}", flush=True)
    try:
        # A CPU that tries it may be slow and shared.
        limit = SECONDS[name] * (3 if given.tiny else 1)
        return subprocess.run(command, timeout=limit).returncode == 0
    except subprocess.TimeoutExpired:
        return False


if __name__ == "__main__":
    main()
