"""conv: a plain convolution of a map, with learned weights or fixed kernels."""

from collections.abc import Mapping

from s2mlp_dsl.diagnostics.catalogue import shapes
from s2mlp_dsl.ir.program import Value
from s2mlp_dsl.ir.shape import Map, Shape
from s2mlp_dsl.operators import (
    Construct,
    Count,
    KernelsArgument,
    OptionalCount,
    PythonLiteral,
    Refusal,
)
from s2mlp_dsl.operators._convolution import Convolution
from s2mlp_dsl.operators._division import divided
from s2mlp_dsl.operators._fixed_kernels import literal


class Conv(Convolution):
    name = "conv"
    summary = "a convolution: each window of the map through one linear layer"
    formula = (
        "y[p, d] = b[d] + Σ over offsets o and channels c of d's group of "
        "w[d, c, o] · x[stride · p − pad + o, c]; fixed kernels are w, "
        "and are not learned"
    )
    initialisation = (
        "weight and bias uniform in ±1/(kernel · √(input channels / groups)); "
        "fixed kernels as given"
    )
    paper = "LeCun et al. 1989; ResNet, He et al. 2016"
    example = "conv(6, 3, stride = 2)"
    example_input = Map(height=6, width=8, channels=4)

    width = Count("output channels")
    kernel = Count("side of a window")
    stride = Convolution.stride
    edge = Convolution.edge
    pad = OptionalCount(
        "positions read outside the map on each side; (kernel − 1) / 2 rounded down "
        "by default",
        least=0,
    )
    groups = Count("groups of channels that are convolved separately", 1)
    bias = Convolution.bias
    fixed = KernelsArgument(
        "constants in place of learned weights: a list of filters for equal runs of "
        "the output channels, each a list with a kernel, as a list of rows, for each "
        "input channel of its group; with one such channel, a filter is the kernel "
        "itself"
    )

    @property
    def pad_width(self) -> int:
        return (self.kernel - 1) // 2 if self.pad is None else self.pad

    @property
    def outputs(self) -> int:
        return self.width

    @property
    def group_count(self) -> int:
        return self.groups

    def shape(self) -> Shape:
        sides = ((self.map.channels, "input"), (self.width, "output"))
        for channels, side in sides:
            if channels % self.groups:
                fields = divided(channels, self.groups)
                raise Refusal(
                    shapes.GROUPS_DIVIDE, argument="groups", side=side, **fields
                )
        return super().shape()

    def canonical_args(self) -> Mapping[str, Value]:
        convolution = self.on(self.x, super().canonical_args())
        return convolution.args_with(pad=self.pad_width)

    def construct(self) -> Construct:
        options: dict[str, PythonLiteral] = {"kernel_size": self.kernel}
        if self.fixed is not None:
            options = {"filters": literal(self.fixed)}
        options |= {"stride": self.stride, "padding": self.pad_width}
        if self.edge != "zeros":
            options["edge"] = self.edge
        if self.groups > 1:
            options["groups"] = self.groups
        if self.fixed is None and not self.has_bias:
            options["bias"] = False
        callee = self.for_frames("Conv" if self.fixed is None else "FixedConv")
        return Construct.of(callee, self.x.channels, self.width, **options)
