"""depthwise: each channel convolved with a kernel of its own."""

from collections.abc import Iterator, Mapping
from itertools import product
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
from s2mlp_dsl.ops.edges import inside, source_of
from s2mlp_dsl.ops.reach import Part, Reach


class Depthwise(Operator):
    name = "depthwise"
    summary = "convolves each channel with its own kernel; the map keeps its size"
    formula = "y[p, c] = b[c] + Σ over offsets o of w[c, o] · x[p + o, c]"
    initialisation = "weight and bias uniform in ±1/kernel"
    paper = "S²-MLP section 3.3, which the shift is a special case of"
    parameters = (
        Parameter("kernel", "count", "side of the kernel, odd"),
        Parameter(
            "edge",
            "word",
            "what is read outside the map",
            "zero",
            ("zero", "clamp", "wrap", "reflect"),
        ),
        Parameter("bias", "word", "whether b is there", "on", ("on", "off")),
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
        return x

    def tensors(self, x: Shape | None, a: Args) -> dict[str, tuple[int, ...]]:
        assert x is not None
        kernel = a.count("kernel")
        bias = {} if a.word("bias") == "off" else {"bias": (x.channels,)}
        return {"weight": (x.channels, 1, kernel, kernel), **bias}

    def macs(self, x: Shape | None, a: Args) -> int:
        assert x is not None
        return positions(x) * x.channels * a.count("kernel") ** 2

    def reach(self, x: Shape, a: Args) -> Reach:
        assert isinstance(x, Map)
        rows, columns = (_read_along(length, a) for length in (x.height, x.width))
        table = tuple(
            tuple((f * x.height + y) * x.width + c for y in ys for c in cs)
            for f in range(x.frames)
            for ys in rows
            for cs in columns
        )
        return Reach(mixes=False, parts=(Part(None, table),))

    def properties(self, x: Shape | None, a: Args) -> Properties:
        reads: Reads = "position" if a.count("kernel") == 1 else "neighbours"
        return Properties(True, reads, False, True)

    def construct(self, x: Shape | None, a: Args) -> Construct:
        assert isinstance(x, Map)
        off = (("bias", False),) if a.word("bias") == "off" else ()
        return Construct(
            "Depthwise" if x.time is None else "FrameDepthwise",
            (x.channels,),
            (("kernel", a.count("kernel")), ("edge", a.word("edge")), *off),
        )

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        *_, height, width, channels = x.shape
        size = Map(height=height, width=width, channels=channels)
        flat = x.reshape(-1, height * width, channels)  # frame by frame
        kernels = tensors["weight"].reshape(channels, -1)
        y = np.zeros_like(flat)
        for place, reads in _windows(size, a):
            for offset, source in reads:
                y[:, place] += flat[:, source] * kernels[:, offset]
        if "bias" in tensors:
            y += tensors["bias"]
        return y.reshape(x.shape)

    def linear_map(self, x: Shape, a: Args) -> Iterator[Term]:
        assert isinstance(x, Map)
        for place, reads in _windows(x, a):
            for channel in range(x.channels):
                for offset, source in reads:
                    yield Term((place, channel), (source, channel), (channel, offset))
                if a.word("bias") == "on":
                    yield Term((place, channel), None, (channel, -1))


def _read_along(length: int, a: Args) -> list[list[int]]:
    """For each index of an axis, the indices that its window reads.

    Beyond two lengths of the axis, every edge rule has said all it has to say.
    """
    half = min(a.count("kernel") // 2, 2 * length)
    edge = cast(Edge, a.word("edge"))
    window = range(-half, half + 1)
    read = [{inside(at + o, length, edge) for o in window} for at in range(length)]
    return [sorted(one for one in found if one is not None) for found in read]


def _windows(x: Map, a: Args) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """For each position: (number of the offset in the kernel, position read)."""
    half = a.count("kernel") // 2
    edge = cast(Edge, a.word("edge"))
    offsets = list(product(range(-half, half + 1), repeat=2))
    frame = x.height * x.width
    for place in range(positions(x)):
        first, at = place // frame * frame, divmod(place % frame, x.width)
        reads = []
        for number, (down, right) in enumerate(offsets):
            source = source_of(at, (-down, -right), (x.height, x.width), edge)
            if source is not None:
                reads.append((number, first + source[0] * x.width + source[1]))
        yield place, reads
