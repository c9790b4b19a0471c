"""depthwise: each channel convolved with a kernel of its own."""

from collections.abc import Iterator, Mapping
from typing import cast

from s2mlp_dsl.ir.program import Edge
from s2mlp_dsl.ir.shape import Map, Shape, positions
from s2mlp_dsl.ops import codes
from s2mlp_dsl.ops.base import (
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
from s2mlp_dsl.ops.reach import Part, Reach
from s2mlp_dsl.ops.window import Windows


class Depthwise(Operator):
    name = "depthwise"
    summary = "convolves each channel with its own kernel, padded by half of it"
    formula = "y[p, c] = b[c] + Σ over offsets o of w[c, o] · x[stride · p + o, c]"
    initialisation = "weight and bias uniform in ±1/kernel"
    paper = "S²-MLP section 3.3, which the shift is a special case of"
    parameters = (
        Parameter("kernel", "count", "side of the kernel, odd"),
        EDGE,
        Parameter("bias", "word", "whether b is there", "on", ("on", "off")),
        Parameter("stride", "count", "positions from one window to the next", 1),
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
        return _windows(a).shape(x, x.channels)

    def tensors(self, x: Shape | None, a: Args) -> dict[str, tuple[int, ...]]:
        assert x is not None
        kernel = a.count("kernel")
        bias = {} if a.word("bias") == "off" else {"bias": (x.channels,)}
        return {"weight": (x.channels, 1, kernel, kernel), **bias}

    def macs(self, x: Shape | None, a: Args) -> int:
        assert x is not None
        return positions(self.shape(x, a)) * x.channels * a.count("kernel") ** 2

    def reach(self, x: Shape, a: Args) -> Reach:
        assert isinstance(x, Map)
        return Reach(mixes=False, parts=(Part(None, _windows(a).table(x)),))

    def properties(self, x: Shape | None, a: Args) -> Properties:
        reads: Reads = "position" if a.count("kernel") == 1 else "neighbours"
        return Properties(True, reads, False, True)

    def construct(self, x: Shape | None, a: Args) -> Construct:
        assert x is not None
        stride = a.count("stride")
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
        kernels = tensors["weight"].reshape(x.shape[-1], -1)
        places = list(windows.reads(size))
        y = np.zeros((len(flat), len(places), x.shape[-1]))
        for place, reads in enumerate(places):
            for offset, source in reads:
                y[:, place] += flat[:, source] * kernels[:, offset]
        if "bias" in tensors:
            y += tensors["bias"]
        return windows.back(x, y)

    def linear_map(self, x: Shape, a: Args) -> Iterator[Term]:
        assert isinstance(x, Map)
        for place, reads in enumerate(_windows(a).reads(x)):
            for channel in range(x.channels):
                for offset, source in reads:
                    yield Term((place, channel), (source, channel), (channel, offset))
                if a.word("bias") == "on":
                    yield Term((place, channel), None, (channel, -1))


def _windows(a: Args) -> Windows:
    kernel = a.count("kernel")
    return Windows(kernel, a.count("stride"), kernel // 2, cast(Edge, a.word("edge")))
