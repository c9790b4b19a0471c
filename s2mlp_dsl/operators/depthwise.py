"""depthwise: each channel convolved with a kernel of its own, or with a fixed one."""

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


class Depthwise(Convolution):
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
        BIAS,
        STRIDE,
        fixed_parameter(
            "what is convolved with in place of weights: one kernel, as a list of "
            "rows, or a list of kernels for equal runs of channels",
        ),
    )
    example = "depthwise(3)"
    example_input = Map(height=3, width=5, channels=4)

    def layer(self, x: Shape | None, a: Args) -> Layer:
        assert x is not None
        kernel, edge = a.count("kernel"), cast(Edge, a.enum("edge"))
        return Layer(
            Windows(kernel, a.count("stride"), kernel // 2, edge),
            x.channels,
            x.channels,
            x.channels,
            a.enum("bias") == "on",
            a.kernels("fixed"),
        )

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
        return super().shape(x, a)

    def construct(self, x: Shape | None, a: Args) -> Construct:
        one = self.layer(x, a)
        stride, fixed = one.windows.stride, one.fixed
        size: tuple[str, PythonLiteral] = ("kernel", one.windows.size)
        if fixed is not None:
            size = ("kernels", tuple(kernel for (kernel,) in literal(fixed)))
        return Construct(
            "Depthwise" if fixed is None else "FixedDepthwise",
            (one.entering,),
            (
                size,
                ("edge", one.windows.edge),
                *((("bias", False),) if fixed is None and not one.bias else ()),
                *((("stride", stride),) if stride > 1 else ()),
            ),
        )
