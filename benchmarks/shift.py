"""The shift implementations compared with the usual clone + slice assignment.

    python benchmarks/shift.py [--quick] [--device cuda] [--compile] [--batch 16]

The paper's cross on maps of 14 × 14 × 384 in float32, alone and between two linear
layers with a GELU before it, in evaluation and in training (forward and backward).
The implementation that is chosen for the device, `slices` on a CPU and `gather` on a
GPU, has a target between the layers: never slower than clone + slice assignment.
"""

import argparse
from collections.abc import Callable, Iterator

import torch
from handwritten import cloned_shift
from rows import Row, interleaved, main, ratio
from torch import Tensor, nn

from s2mlp_dsl.lower.shift_implementations import default_for
from s2mlp_dsl.nn.gathered_shift import GatheredShift
from s2mlp_dsl.nn.one_hot_shift import OneHotShift
from s2mlp_dsl.nn.shift import SpatialShift
from s2mlp_dsl.nn.sliced_shift import SlicedShift

CROSS = ((96, 1, 0), (96, -1, 0), (96, 0, 1), (96, 0, -1))
LOWERINGS = {
    "slices": SlicedShift,
    "select": SpatialShift,
    "gather": GatheredShift,
    "onehot": OneHotShift,
}


class Cloned(nn.Module):
    def forward(self, x_BHWC: Tensor) -> Tensor:
        return cloned_shift(x_BHWC)


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--compile", action="store_true")


def rows(given: argparse.Namespace) -> Iterator[Row]:
    torch.manual_seed(0)
    x = torch.randn(given.batch, 14, 14, 384, device=given.device)
    shifts = {name: one(CROSS, "keep") for name, one in LOWERINGS.items()}
    shifts["clone"] = Cloned()
    for shift in shifts.values():
        assert torch.equal(shift.to(given.device)(x), cloned_shift(x))
    between = {
        name: between_layers(shift).to(given.device) for name, shift in shifts.items()
    }
    for where, nets in (("alone", shifts), ("between linear layers", between)):
        runs = {
            name: torch.compile(net) if given.compile else net
            for name, net in nets.items()
        }
        for kind in ("inference", "training"):
            works = {name: step(net, x, kind) for name, net in runs.items()}
            taken = interleaved(works, 10 if given.quick else 60)
            for name in LOWERINGS:
                mine, theirs = (min(taken[who]) * 1e3 for who in (name, "clone"))
                chosen = nets is between and name == default_for(given.device)
                yield Row(
                    f"{name}, {where}, {kind} / clone",
                    ratio(taken[name], taken["clone"]),
                    "×",
                    1.0 if chosen else None,
                    detail=f"{mine:.2f} ms against {theirs:.2f}",
                )


def between_layers(shift: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(384, 384), nn.GELU(), shift, nn.Linear(384, 384))


def step(net: nn.Module, x: Tensor, kind: str) -> Callable[[], None]:
    leaf, back = x.clone().requires_grad_(), torch.randn_like(x)

    def work() -> None:
        if kind == "training":
            leaf.grad = None
            net(leaf).backward(back)
        else:
            with torch.no_grad():
                net(x)
        if x.is_cuda:
            torch.cuda.synchronize(x.device)

    return work


if __name__ == "__main__":
    main(rows, __doc__, add_options)
