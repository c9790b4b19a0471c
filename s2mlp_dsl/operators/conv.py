"""conv: a plain convolution of a map, with weights or with fixed kernels."""

from typing import cast

from s2mlp_dsl.ir.program import Edge
from s2mlp_dsl.ir.shape import Map, Shape
from s2mlp_dsl.operators import codes
from s2mlp_dsl.operators.base import (
    Args,
    Construct,
    Parameter,
    PythonLiteral,
    Refusal,
    need_map,
)
from s2mlp_dsl.operators.convolution import (
    BIAS,
    EDGE,
    STRIDE,
    Convolution,
    Layer,
    fixed_parameter,
)
from s2mlp_dsl.operators.kernels import literal
from s2mlp_dsl.operators.window import Windows

HALF = "half"  # not a count: what stands for a pad that is not said


class Conv(Convolution):
    name = "conv"
    summary = "a convolution: each window of the map through one linear layer"
    formula = (
        "y[p, d] = b[d] + Σ over offsets o and channels c of d's group of "
        "w[d, c, o] · x[stride · p − pad + o, c]; fixed kernels are w, "
        "and learn nothing"
    )
    initialisation = (
        "weight and bias uniform in ±1/(kernel · √(channels that enter / groups)); "
        "fixed kernels as given"
    )
    paper = "LeCun et al. 1989; ResNet, He et al. 2016"
    parameters = (
        Parameter("width", "count", "channels that leave"),
        Parameter("kernel", "count", "side of a window"),
        STRIDE,
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
        BIAS,
        fixed_parameter(
            "what is convolved with in place of weights: a list of filters for equal "
            "runs of the channels that leave, each a list with a kernel, as a list of "
            "rows, for each channel that enters its group; where that is one channel, "
            "a filter is the kernel itself",
        ),
    )
    example = "conv(6, 3, stride = 2)"
    example_input = Map(height=6, width=8, channels=4)

    def layer(self, x: Shape | None, a: Args) -> Layer:
        assert x is not None
        kernel, pad = a.count("kernel"), a.values["pad"]
        pad = (kernel - 1) // 2 if pad == HALF else a.count("pad")
        return Layer(
            Windows(kernel, a.count("stride"), pad, cast(Edge, a.enum("edge"))),
            x.channels,
            a.count("width"),
            a.count("groups"),
            a.enum("bias") == "on",
            a.kernels("fixed"),
        )

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
        return super().shape(x, a)

    def settle(self, x: Shape | None, a: Args) -> Args:
        kept = super().settle(x, a).values
        return Args({**kept, "pad": self.layer(x, a).windows.pad})

    def construct(self, x: Shape | None, a: Args) -> Construct:
        one = self.layer(x, a)
        windows, fixed = one.windows, one.fixed
        size: tuple[str, PythonLiteral] = ("kernel", windows.size)
        if fixed is not None:
            size = ("filters", literal(fixed))
        return Construct(
            "Conv" if fixed is None else "FixedConv",
            (one.entering, one.width),
            (
                size,
                ("stride", windows.stride),
                ("padding", windows.pad),
                *((("edge", windows.edge),) if windows.edge != "zeros" else ()),
                *((("groups", one.groups),) if one.groups > 1 else ()),
                *((("bias", False),) if fixed is None and not one.bias else ()),
            ),
        )
