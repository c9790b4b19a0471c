"""The paper's models on a CPU, compared with the same networks written by hand.

    python benchmarks/cpu.py [--quick] [--models NAME …] [--threads 2] [--whole]

Forward and a training step (forward, backward), batch 8, float32, eager and compiled,
of four networks in turn:

    ours     the compiled spec
    port     written by hand, the shift as clone + slice assignment
    floor    the same without a shift
    limit    only the matrix products, of the forward pass and of both gradients

and, eager, the time per MAC of timm's Mixer-B/16. The networks have a stem, a head and
few blocks, 4 of deep and 2 of wide. `--whole` takes all 36 and 12; `--quick` takes 2
and 1 and fewer rounds, and compiles only the first model.
"""

import argparse
from collections.abc import Callable, Iterator

import torch
from handwritten import SIZES, like, same_weights
from rows import ROOT, Row, interleaved, main, ratio
from torch import Tensor, nn

import s2mlp_dsl as s2

BATCH, BLOCKS = 8, {"s2mlp_deep": 4, "s2mlp_wide": 2}
# By the floor.
TARGETS = {("training", "eager"): 1.03, ("training", "compiled"): 1.03}
TARGETS |= {("inference", "compiled"): 1.02}


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--models", nargs="+", default=list(SIZES), choices=SIZES)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--whole", action="store_true", help="every block")


def rows(given: argparse.Namespace) -> Iterator[Row]:
    torch.set_num_threads(given.threads)
    for mode in ("eager", "compiled"):
        for name in given.models:
            depth = SIZES[name]["depth"] if given.whole else BLOCKS[name]
            depth = depth // 2 if given.quick else depth
            if mode == "compiled" and given.quick and name != given.models[0]:
                continue  # compiling takes most of the time
            for kind in ("inference", "training"):
                yield from compared(name, depth, mode, kind, given.quick)
        if mode == "eager":
            yield from mixer(given.quick)


def compared(name: str, depth: int, mode: str, kind: str, quick: bool) -> Iterator[Row]:
    """Ours compared with the others, in one mode."""
    width, ratio_of = SIZES[name]["width"], SIZES[name]["ratio"]
    ours = s2.compile(ROOT / "specs/s2mlp.arch", **settings(name, depth))
    nets: dict[str, nn.Module] = {
        "ours": ours,
        "port": same_weights(like(name, depth=depth), ours),
        "floor": same_weights(like(name, shifts=False, depth=depth), ours),
    }
    torch.manual_seed(0)
    x = torch.randn(BATCH, 3, 224, 224)
    assert torch.allclose(nets["ours"](x), nets["port"](x), atol=1e-4)
    works = {
        who: step(compiled(net) if mode == "compiled" else net, x, kind)
        for who, net in nets.items()
    }
    works["limit"] = products(width, ratio_of, depth, kind)
    rounds = (6 if quick else 24) if kind == "inference" else (4 if quick else 16)
    taken = interleaved(works, rounds)
    best = {who: min(seconds) * 1e3 for who, seconds in taken.items()}
    where = f"{name}, {kind}, {mode}"
    detail = f"{best['ours']:.0f} ms, {depth} blocks, {rounds} rounds"
    for other, target in (
        ("port", 1.0),
        ("floor", TARGETS.get((kind, mode))),
        ("limit", None),
    ):
        found = ratio(taken["ours"], taken[other])
        against = f"{detail}; {other} {best[other]:.0f} ms"
        yield Row(f"{where} / {other}", found, "×", target, detail=against)


def settings(name: str, depth: int) -> dict[str, object]:
    kind = "affine" if SIZES[name]["affine"] else "layer"
    return {"width": SIZES[name]["width"], "depth": depth, "norm_kind": kind}


def compiled(net: nn.Module) -> nn.Module:
    """Compiled block by block, as by `train`."""
    for block in net.stack:
        block.compile()
    return net


def step(net: nn.Module, x: Tensor, kind: str) -> Callable[[], object]:
    def forward() -> None:
        with torch.no_grad():
            net(x)

    def training() -> None:
        net.zero_grad()
        net(x).sum().backward()

    return forward if kind == "inference" else training


def products(width: int, ratio: int, depth: int, kind: str) -> Callable[[], object]:
    """Only the matrix products of the blocks."""
    rows_N = BATCH * 14 * 14
    sizes = [(width, width)] * 2 + [(width, ratio * width), (ratio * width, width)]
    given = [(torch.randn(rows_N, a), torch.randn(b, a)) for a, b in sizes]

    def forward() -> None:
        for _ in range(depth):
            for x, weight in given:
                x @ weight.T

    def training() -> None:
        for _ in range(depth):
            for x, weight in given:
                y = x @ weight.T
                y @ weight
                y.T @ x

    return forward if kind == "inference" else training


def mixer(quick: bool) -> Iterator[Row]:
    """Time per MAC of the paper's models relative to Mixer-B/16, eager."""
    from timm.models.mlp_mixer import MlpMixer

    wide = s2.compile(ROOT / "specs/s2mlp.arch", **settings("s2mlp_wide", 4))
    theirs = MlpMixer(patch_size=16, num_blocks=4, embed_dim=768)
    macs = [macs_of(net) for net in (wide, theirs)]
    x = torch.randn(BATCH, 3, 224, 224)
    for kind in ("inference", "training"):
        works = {"ours": step(wide, x, kind), "theirs": step(theirs, x, kind)}
        taken = interleaved(works, 4 if quick else 12)
        found = ratio(taken["ours"], taken["theirs"]) * macs[1] / macs[0]
        name = f"s2mlp_wide, {kind}, per MAC / timm's Mixer-B/16"
        yield Row(name, found, "×", detail="4 blocks of each, eager")


def macs_of(net: nn.Module) -> float:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(torch.randn(1, 3, 224, 224))
    return counter.get_total_flops() / 2


if __name__ == "__main__":
    main(rows, __doc__, add_options)
