"""conv: a plain convolution of a map."""

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
from s2mlp_dsl.ops.reach import Part, Reach
from s2mlp_dsl.ops.window import Windows

EDGE = Parameter(
    "edge",
    "word",
    "what is read outside the map",
    "zero",
    ("zero", "clamp", "wrap", "reflect"),
)
HALF = "half"  # not a count: what stands for a pad that is not said


class Conv(Operator):
    name = "conv"
    summary = "a convolution: each window of the map through one linear layer"
    formula = (
        "y[p, d] = b[d] + Σ over offsets o and channels c of d's group of "
        "w[d, c, o] · x[stride · p − pad + o, c]"
    )
    initialisation = (
        "weight and bias uniform in ±1/(kernel · √(channels that enter / groups))"
    )
    paper = "LeCun et al. 1989; ResNet, He et al. 2016"
    parameters = (
        Parameter("width", "count", "channels that leave"),
        Parameter("kernel", "count", "side of a window"),
        Parameter("stride", "count", "positions from one window to the next", 1),
        EDGE,
        Parameter(
            "pad",
            "count",
            "positions read outside, on each side; (kernel − 1) / 2 rounded down "
            "where it is not said",
            HALF,
            least=0,
        ),
        Parameter("groups", "count", "runs of channels that do not mix", 1),
        Parameter("bias", "word", "whether b is there", "on", ("on", "off")),
    )
    example = "conv(6, 3, stride = 2)"
    example_input = Map(height=6, width=8, channels=4)

    def shape(self, x: Shape | None, a: Args) -> Shape:
        x = need_map(x)
        groups = a.count("groups")
        for number, what in ((x.channels, "enter"), (a.count("width"), "leave")):
            if number % groups:
                raise Refusal(
                    codes.CONV_GROUPS,
                    f"{number} channels {what} = {groups} · {number // groups} "
                    f"+ {number % groups}",
                    argument="groups",
                    help="take a number that divides both",
                )
        return _windows(a).shape(x, a.count("width"))

    def settle(self, x: Shape | None, a: Args) -> Args:
        return Args({**a.values, "pad": _windows(a).pad})

    def tensors(self, x: Shape | None, a: Args) -> dict[str, tuple[int, ...]]:
        assert x is not None
        width, kernel = a.count("width"), a.count("kernel")
        bias = {} if a.word("bias") == "off" else {"bias": (width,)}
        return {
            "weight": (width, x.channels // a.count("groups"), kernel, kernel),
            **bias,
        }

    def dropped(self, x: Shape | None, a: Args) -> tuple[int, int]:
        assert isinstance(x, Map)
        return _windows(a).dropped(x)

    def macs(self, x: Shape | None, a: Args) -> int:
        assert x is not None
        one = x.channels // a.count("groups") * a.count("kernel") ** 2
        return positions(self.shape(x, a)) * a.count("width") * one

    def reach(self, x: Shape, a: Args) -> Reach:
        assert isinstance(x, Map)
        part = Part(None, _windows(a).table(x))
        return Reach(mixes=True, parts=(part,), groups=a.count("groups"))

    def properties(self, x: Shape | None, a: Args) -> Properties:
        reads: Reads = "position" if a.count("kernel") == 1 else "neighbours"
        # With a group for each channel it is a depthwise convolution.
        apart = x is not None and a.count("groups") == x.channels > 1
        return Properties(True, reads, False, apart)

    def construct(self, x: Shape | None, a: Args) -> Construct:
        assert x is not None
        windows, groups = _windows(a), a.count("groups")
        return Construct(
            "Conv",
            (x.channels, a.count("width")),
            (
                ("kernel", windows.size),
                ("stride", windows.stride),
                ("padding", windows.pad),
                *((("edge", windows.edge),) if windows.edge != "zero" else ()),
                *((("groups", groups),) if groups > 1 else ()),
                *((("bias", False),) if a.word("bias") == "off" else ()),
            ),
        )

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        windows, groups = _windows(a), a.count("groups")
        size, flat = windows.on(x)
        count = positions(windows.shape(size, 1))
        y = np.zeros((len(flat), count, a.count("width")))
        kernels = tensors["weight"].reshape(*tensors["weight"].shape[:2], -1)
        before, after = x.shape[-1] // groups, a.count("width") // groups
        for offset, (places, sources) in windows.by_offset(size).items():
            seen = flat[:, sources].reshape(-1, x.shape[-1])
            for group in range(groups):
                mine = slice(group * after, (group + 1) * after)
                part = seen[:, group * before : (group + 1) * before]
                found = part @ kernels[mine, :, offset].T
                y[:, places, mine] += found.reshape(len(flat), -1, after)
        if "bias" in tensors:
            y += tensors["bias"]
        return windows.back(x, y)

    def linear_map(self, x: Shape, a: Args) -> Iterator[Term]:
        assert isinstance(x, Map)
        before = x.channels // a.count("groups")
        after = a.count("width") // a.count("groups")
        for place, reads in enumerate(_windows(a).reads(x)):
            for out in range(a.count("width")):
                first = out // after * before
                for (offset, source), c in product(reads, range(before)):
                    weight = (out, c, offset)
                    yield Term((place, out), (source, first + c), weight)
                if a.word("bias") == "on":
                    yield Term((place, out), None, (out,))


def _windows(a: Args) -> Windows:
    kernel, pad = a.count("kernel"), a.values["pad"]
    pad = (kernel - 1) // 2 if pad == HALF else a.count("pad")
    return Windows(kernel, a.count("stride"), pad, cast(Edge, a.word("edge")))
