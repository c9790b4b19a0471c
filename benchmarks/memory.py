"""Memory of a training step, compared with the network written by hand.

    python benchmarks/memory.py [--quick] [--batch 8]

Forward and backward of the paper's models in float32 on the CPU, with and without
activation checkpointing, each in its own process, the minimum of three:

    peak    peak resident memory, minus what PyTorch had taken before
    kept    bytes of the activations that autograd keeps for the backward pass

The target is for the peak; `kept` explains it. With checkpointing, the hand-written
network keeps the inputs of blocks in the same way. `--quick` takes 6 blocks of deep and
3 of wide, one process each.
"""

import argparse
import ctypes
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import torch
from handwritten import SIZES, like
from rows import ROOT, Row, main
from torch import Tensor, nn

import s2mlp_dsl as s2
from s2mlp_dsl.bench.measure import PeakMemory
from s2mlp_dsl.train.model import checkpoint_blocks

BLOCKS = {"s2mlp_deep": 6, "s2mlp_wide": 3}


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--batch", type=int, default=8)


def rows(given: argparse.Namespace) -> Iterator[Row]:
    for name in SIZES:
        depth = BLOCKS[name] if given.quick else SIZES[name]["depth"]
        for again in (False, True):
            found = {
                who: [
                    in_process(who, name, depth, again, given.batch)
                    for _ in range(1 if given.quick else 3)
                ]
                for who in ("ours", "port")
            }
            mode = "checkpointed" if again else "plain"
            for at, what in enumerate(("peak", "kept")):
                mine, theirs = (
                    min(bytes[at] for bytes in found[who]) / 2**20
                    for who in ("ours", "port")
                )
                detail = f"{mine:,.0f} MiB against {theirs:,.0f}, {depth} blocks"
                # The kernel counts pages, so the third digit is noise.
                share = round(mine / theirs, 2) if what == "peak" else mine / theirs
                label = f"{name}, {mode}, {what} / hand-written"
                target = 1.0 if what == "peak" else None
                yield Row(label, share, "×", target, detail=detail)


def in_process(
    who: str, name: str, depth: int, again: bool, batch: int
) -> tuple[int, int]:
    # Nothing has been computed in this process yet, so a fork starts fresh.
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(max_workers=1, mp_context=fork) as pool:
        return pool.submit(measure, who, name, depth, again, batch).result()


def measure(
    who: str, name: str, depth: int, again: bool, batch: int
) -> tuple[int, int]:
    """Bytes at the peak of a step, and bytes kept for its backward pass."""
    allocate_by_pages()
    build("ours", name, 1)  # loads the compiler, also for the hand-written network
    step(nn.Linear(8, 8), torch.randn(8, 8))  # loads autograd
    memory = PeakMemory(torch.device("cpu"))
    net = build(who, name, depth)
    if again:
        checkpoint_blocks(net)
    x = torch.randn(batch, 3, 224, 224)
    step(net, x)
    memory.restart()
    step(net, x)
    peak, own = (
        memory.bytes(),
        {p.untyped_storage().data_ptr() for p in net.parameters()},
    )
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own | {x.untyped_storage().data_ptr()}:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = net(x).sum()
    assert loss.requires_grad  # keeps the activations alive until here
    return peak, sum(kept.values())


def allocate_by_pages() -> None:
    """Allocate every tensor in its own pages (with glibc).

    Memory that is freed into a heap may or may not be returned to the system.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(-3, 2**16)  # M_MMAP_THRESHOLD


def build(who: str, name: str, depth: int) -> nn.Module:
    if who == "port":
        return like(name, depth=depth)
    kind = "affine" if SIZES[name]["affine"] else "layer"
    sizes = {"width": SIZES[name]["width"], "depth": depth, "norm_kind": kind}
    return s2.compile(ROOT / "specs/s2mlp.arch", **sizes)


def step(net: nn.Module, x: Tensor) -> None:
    net.zero_grad()
    net(x).sum().backward()


if __name__ == "__main__":
    main(rows, __doc__, add_options)
