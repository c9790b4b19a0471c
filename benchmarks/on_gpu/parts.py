"""Parts of a model: ceilings of the device, GELU and the shift, a block."""

from collections.abc import Callable
from functools import partial

import torch
from handwritten import SIZES, cloned_shift
from rows import Row
from torch import Tensor
from torch.nn import functional as F

from on_gpu.nets import PRECISIONS, ours, passes
from on_gpu.setup import BF16, Rows, Setup, attempted

CROSS = ((96, 1, 0), (96, -1, 0), (96, 0, 1), (96, 0, -1))


def ceilings(setup: Setup) -> Rows:
    yield Row("product of bf16 matrices", setup.peak() / 1e12, "TFLOP/s")
    x = torch.empty(2**20 if setup.tiny else 2**30, dtype=torch.uint8)
    x, y = x.to(setup.device), x.clone().to(setup.device)
    rate = 2 * x.nbytes / setup.seconds(lambda: y.copy_(x))
    yield Row("copy, read and written", rate / 1e12, "TB/s")


def shift(setup: Setup) -> Rows:
    from s2mlp_dsl.nn.gathered_shift import GatheredShift
    from s2mlp_dsl.nn.one_hot_shift import OneHotShift
    from s2mlp_dsl.nn.shift import SpatialShift
    from s2mlp_dsl.nn.sliced_shift import SlicedShift

    forms: dict[str, Callable[[Tensor], Tensor]] = {
        "GELU alone": lambda x: x,
        "gather": GatheredShift(CROSS, "keep"),
        "clone + slices": cloned_shift,
        "slices": SlicedShift(CROSS, "keep"),
        "select": SpatialShift(CROSS, "keep").to(setup.device),
        "onehot": OneHotShift(CROSS, "keep").to(setup.device, BF16),
    }
    for name, form in forms.items():
        yield from attempted(name, partial(one_form, name, form, setup))


def one_form(name: str, form: Callable[[Tensor], Tensor], setup: Setup) -> Rows:
    given = torch.randn(setup.batch, 14, 14, 384, device=setup.device, dtype=BF16)
    leaf, back = given.clone().requires_grad_(), torch.randn_like(given)
    run = torch.compile(lambda x: form(F.gelu(x)))

    def forward() -> None:
        with torch.no_grad():
            run(given)

    def both() -> None:
        leaf.grad = None
        run(leaf).backward(back)

    for label, work in (("forward", forward), ("with backward", both)):
        taken = setup.seconds(work)
        detail = f"{taken / given.nbytes * 4.3e12:.1f} U at 4.3 TB/s"
        yield Row(f"GELU + shift, {name}, {label}", taken * 1e6, "µs", detail=detail)


def block(setup: Setup) -> Rows:
    peak = setup.peak()
    for precision in PRECISIONS:
        for name in SIZES:
            for layout in ("rows", "map"):
                label = f"block of {name}, {layout}, {PRECISIONS[precision]}"
                measure = partial(
                    one_block, label, name, layout, precision, peak, setup
                )
                yield from attempted(label, measure)


def one_block(
    label: str, name: str, layout: str, precision: str, peak: float, setup: Setup
) -> Rows:
    width = setup.width(name)
    net = ours(name, 1, setup, layout).stack[0]
    net.compile()
    x = torch.randn(setup.batch, 14, 14, width, device=setup.device)
    taken = setup.seconds(passes(net, x, precision))
    flops = 3 * 20 * width**2 * setup.batch * 196
    detail = f"{taken * 1e3:.2f} ms forward and backward"
    yield Row(f"{label}, of the peak", flops / taken / peak, "", detail=detail)
