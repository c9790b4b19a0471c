"""depthwise: each channel convolved with a kernel of its own, learned or fixed."""

from s2mlp_dsl.diagnostics.catalogue import shapes
from s2mlp_dsl.ir.shape import Map, Shape
from s2mlp_dsl.operators import (
    Construct,
    Count,
    KernelsArgument,
    PythonLiteral,
    Refusal,
)
from s2mlp_dsl.operators._convolution import Convolution
from s2mlp_dsl.operators._fixed_kernels import literal


class Depthwise(Convolution):
    name = "depthwise"
    summary = "convolves each channel with its own kernel, padded by half of it"
    formula = (
        "y[p, c] = b[c] + Σ over offsets o of w[c, o] · x[stride · p + o, c]; fixed "
        "kernels are w, of all channels or of equal runs of them, and are not learned"
    )
    initialisation = "weight and bias uniform in ±1/kernel; fixed kernels as given"
    paper = "S²-MLP section 3.3, which the shift is a special case of"
    example = "depthwise(3)"
    example_input = Map(height=3, width=5, channels=4)

    kernel = Count("side of the kernel, odd")
    edge = Convolution.edge
    bias = Convolution.bias
    stride = Convolution.stride
    fixed = KernelsArgument(
        "constants in place of learned weights: one kernel, as a list of rows, or a "
        "list of kernels for equal runs of channels"
    )

    def shape(self) -> Shape:
        assert self.map
        if self.kernel % 2 == 0:
            raise Refusal(
                shapes.KERNEL_EVEN,
                argument="kernel",
                kernel=self.kernel,
                below=self.kernel - 1,
                above=self.kernel + 1,
            )
        return super().shape()

    def construct(self) -> Construct:
        options: dict[str, PythonLiteral] = {"kernel_size": self.kernel}
        if self.fixed is not None:
            options = {"kernels": tuple(kernel for (kernel,) in literal(self.fixed))}
        options["edge"] = self.edge
        if self.fixed is None and not self.has_bias:
            options["bias"] = False
        if self.stride > 1:
            options["stride"] = self.stride
        fixed = self.fixed is not None
        callee = self.for_frames("FixedDepthwise" if fixed else "Depthwise")
        return Construct.of(callee, self.x.channels, **options)
