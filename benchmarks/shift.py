"""The lowerings of the shift, alone and between two linear layers.

    python benchmarks/shift.py [--device cuda] [--compile] [--batch 16]

Times are medians in milliseconds, forward and forward with backward, of the
paper's cross on 14 × 14 × 384 maps in float32.
"""

import argparse

import torch
from torch import Tensor, nn
from torch.utils.benchmark import Timer

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


def milliseconds(net: nn.Module, x: Tensor) -> tuple[float, float]:
    back = torch.randn_like(x)
    leaf = x.clone().requires_grad_()
    with torch.no_grad():
        net(x)
        forward = Timer("net(x)", globals={"net": net, "x": x})
        fast = forward.blocked_autorange(min_run_time=0.5).median
    net(leaf).backward(back)
    both = Timer(
        "net(leaf).backward(back)", globals={"net": net, "leaf": leaf, "back": back}
    )
    return 1e3 * fast, 1e3 * both.blocked_autorange(min_run_time=0.5).median


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--compile", action="store_true")
    given = parser.parse_args()
    x = torch.randn(given.batch, 14, 14, 384, device=given.device)
    wanted = SpatialShift(CROSS, "keep").to(given.device)(x)
    print("lowering    shift           linear, gelu, shift, linear")
    for name, kind in LOWERINGS.items():
        shift = kind(CROSS, "keep").to(given.device)
        assert torch.equal(shift(x), wanted), name
        around = nn.Sequential(
            nn.Linear(384, 384), nn.GELU(), shift, nn.Linear(384, 384)
        ).to(given.device)
        net = torch.compile(around) if given.compile else around
        alone, within = milliseconds(shift, x), milliseconds(net, x)
        print(
            f"{name:10} {alone[0]:6.2f} {alone[1]:6.2f}"
            f"   {within[0]:9.2f} {within[1]:6.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
