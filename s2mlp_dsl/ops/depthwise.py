"""depthwise: each channel convolved with a kernel of its own, or with a fixed one."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import cast

from s2mlp_dsl.ir.program import Edge
from s2mlp_dsl.ir.shape import Map, Shape, positions
from s2mlp_dsl.ops import codes
from s2mlp_dsl.ops.base import (
    NONE,
    Args,
    Array,
    Construct,
    Operator,
    Parameter,
    Properties,
    Reads,
    Refusal,
    Term,
    need_map,
)
from s2mlp_dsl.ops.conv import EDGE
from s2mlp_dsl.ops.kernels import (
    coefficients,
    each_with_channels,
    fit,
    is_off_centre,
    literal,
    parts_of,
)
from s2mlp_dsl.ops.reach import Part, Reach
from s2mlp_dsl.ops.window import Windows

# Not a word that is kept: what stands for a bias that is not said.
UNLESS_FIXED = "unless fixed"


class Depthwise(Operator):
    name = "depthwise"
    summary = "convolves each channel with its own kernel, padded by half of it"
    formula = (
        "y[p, c] = b[c] + Σ over offsets o of w[c, o] · x[stride · p + o, c]; fixed "
        "kernels are w, of all channels or of equal runs of them, and learn nothing"
    )
    initialisation = "weight and bias uniform in ±1/kernel; fixed kernels as given"
    paper = "S²-MLP section 3.3, which the shift is a special case of"
    parameters = (
        Parameter("kernel", "count", "side of the kernel, odd"),
        EDGE,
        Parameter("bias", "word", "whether b is there", UNLESS_FIXED, ("on", "off")),
        Parameter("stride", "count", "positions from one window to the next", 1),
        Parameter(
            "fixed",
            "kernels",
            "what is convolved with in place of weights: one kernel, as a list of "
            "rows, or a list of kernels for equal runs of channels",
            NONE,
        ),
    )
    example = "depthwise(3)"
    example_input = Map(height=3, width=5, channels=4)

    def shape(self, x: Shape | None, a: Args) -> Shape:
        kernel = a.count("kernel")
        x = need_map(x)
        if kernel % 2 == 0:
            raise Refusal(
                codes.EVEN_KERNEL,
                f"{kernel} is even",
                argument="kernel",
                help=f"take {kernel - 1} or {kernel + 1}",
            )
        if (fixed := a.kernels("fixed")) is not None:
            fit(fixed, kernel, x.channels)
            if a.word("bias") == "on":
                raise Refusal(
                    codes.KERNELS,
                    "a bias would be learned",
                    argument="bias",
                    help="remove it; `norm(affine)` brings a bias and a factor",
                )
        return _windows(a).shape(x, x.channels)

    def settle(self, x: Shape | None, a: Args) -> Args:
        fixed = a.kernels("fixed")
        bias = a.word("bias")
        if bias == UNLESS_FIXED:
            bias = "on" if fixed is None else "off"
        kept = {**a.values, "bias": bias}
        if fixed is None:
            kept.pop("fixed", None)
        return Args(kept)

    def tensors(self, x: Shape | None, a: Args) -> dict[str, tuple[int, ...]]:
        assert x is not None
        if a.kernels("fixed") is not None:
            return {}
        kernel = a.count("kernel")
        bias = {} if a.word("bias") == "off" else {"bias": (x.channels,)}
        return {"weight": (x.channels, 1, kernel, kernel), **bias}

    def dropped(self, x: Shape | None, a: Args) -> tuple[int, int]:
        assert isinstance(x, Map)
        return _windows(a).dropped(x)

    def macs(self, x: Shape | None, a: Args) -> int:
        assert x is not None
        return positions(self.shape(x, a)) * x.channels * a.count("kernel") ** 2

    def reach(self, x: Shape, a: Args) -> Reach:
        assert isinstance(x, Map)
        windows, fixed = _windows(a), a.kernels("fixed")
        if fixed is not None:
            return Reach(mixes=False, parts=parts_of(fixed, windows, x))
        return Reach(mixes=False, parts=(Part(None, windows.table(x)),))

    def properties(self, x: Shape | None, a: Args) -> Properties:
        fixed = a.kernels("fixed")
        if fixed is not None:
            wide = any(map(is_off_centre, fixed.kernels))
            several = len(set(fixed.kernels)) > 1
        else:
            wide, several = a.count("kernel") > 1, True
        reads: Reads = "neighbours" if wide else "position"
        return Properties(fixed is None, reads, False, several)

    def construct(self, x: Shape | None, a: Args) -> Construct:
        assert x is not None
        stride, fixed = a.count("stride"), a.kernels("fixed")
        if fixed is not None:
            return Construct(
                "FixedDepthwise",
                (x.channels,),
                (
                    ("kernels", literal(fixed)),
                    ("edge", a.word("edge")),
                    *((("stride", stride),) if stride > 1 else ()),
                ),
            )
        return Construct(
            "Depthwise",
            (x.channels,),
            (
                ("kernel", a.count("kernel")),
                ("edge", a.word("edge")),
                *((("bias", False),) if a.word("bias") == "off" else ()),
                *((("stride", stride),) if stride > 1 else ()),
            ),
        )

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        windows = _windows(a)
        size, flat = windows.on(x)
        fixed = a.kernels("fixed")
        if fixed is None:
            kernels = tensors["weight"].reshape(x.shape[-1], -1)
        else:  # a module holds them in single precision
            given = np.array(literal(fixed), np.float32).reshape(len(fixed.kernels), -1)
            kernels = np.repeat(given, x.shape[-1] // len(given), axis=0)
        count = positions(windows.shape(size, 1))
        y = np.zeros((len(flat), count, x.shape[-1]))
        for offset, (places, sources) in windows.by_offset(size).items():
            y[:, places] += flat[:, sources] * kernels[:, offset]
        if "bias" in tensors:
            y += tensors["bias"]
        return windows.back(x, y)

    def linear_map(self, x: Shape, a: Args) -> Iterator[Term]:
        assert isinstance(x, Map)
        windows, fixed = _windows(a), a.kernels("fixed")
        if fixed is not None:
            for kernel, channels in each_with_channels(fixed, x.channels):
                for place, row in enumerate(coefficients(kernel, windows, x)):
                    for (source, value), c in product(row.items(), channels):
                        yield Term((place, c), (source, c), None, value)
            return
        for place, reads in enumerate(windows.reads(x)):
            for channel in range(x.channels):
                for offset, source in reads:
                    yield Term((place, channel), (source, channel), (channel, offset))
                if a.word("bias") == "on":
                    yield Term((place, channel), None, (channel, -1))


def _windows(a: Args) -> Windows:
    kernel = a.count("kernel")
    return Windows(kernel, a.count("stride"), kernel // 2, cast(Edge, a.word("edge")))
