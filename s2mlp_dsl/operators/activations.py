"""relu, silu, hardswish, sigmoid, tanh: functions of one number, entry by entry.

`gelu` has a file of its own.
"""

from collections.abc import Mapping
from typing import ClassVar

from s2mlp_dsl.ir.shape import Map, Shape
from s2mlp_dsl.operators.base import Args, Array, Construct, Operator, Properties
from s2mlp_dsl.operators.receptive_field import POINTWISE, ReceptiveField


class Activation(Operator):
    """Any shape enters, and the same leaves."""

    example_input = Map(height=3, width=5, channels=4)
    module: ClassVar[str]

    def shape(self, x: Shape | None, a: Args) -> Shape:
        assert x is not None
        return x

    def receptive_field(self, x: Shape, a: Args) -> ReceptiveField:
        return POINTWISE

    def properties(self, x: Shape | None, a: Args) -> Properties:
        return Properties(False, "position", False, False)

    def rowwise(self, x: Shape | None, a: Args) -> bool:
        return True

    def construct(self, x: Shape | None, a: Args) -> Construct:
        return Construct(self.module)


class Relu(Activation):
    name = "relu"
    summary = "the rectified linear unit"
    formula = "y = max(x, 0)"
    paper = "Nair and Hinton 2010"
    example = "relu"
    module = "nn.ReLU"

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        y: Array = np.maximum(x, 0)
        return y


class Silu(Activation):
    name = "silu"
    summary = "the sigmoid linear unit, also called swish"
    formula = "y = x / (1 + e⁻ˣ)"
    paper = "Hendrycks and Gimpel 2016; Ramachandran et al. 2017"
    example = "silu"
    module = "nn.SiLU"

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        return x * _sigmoid(x)


class Hardswish(Activation):
    name = "hardswish"
    summary = "a swish made of straight lines"
    formula = "y = x · min(max(x + 3, 0), 6) / 6"
    paper = "MobileNetV3, Howard et al. 2019"
    example = "hardswish"
    module = "nn.Hardswish"

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        y: Array = x * (x + 3).clip(0, 6) / 6
        return y


class Sigmoid(Activation):
    name = "sigmoid"
    summary = "the logistic function, between 0 and 1: a soft gate"
    formula = "y = 1 / (1 + e⁻ˣ)"
    paper = "Rumelhart et al. 1986"
    example = "sigmoid"
    module = "nn.Sigmoid"

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        return _sigmoid(x)


class Tanh(Activation):
    name = "tanh"
    summary = "the hyperbolic tangent, between −1 and 1"
    formula = "y = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)"
    paper = "LeCun et al. 1998"
    example = "tanh"
    module = "nn.Tanh"

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        y: Array = np.tanh(x)
        return y


def _sigmoid(x: Array) -> Array:
    """Through tanh, which does not overflow: (1 + tanh(x / 2)) / 2."""
    import numpy as np

    y: Array = (1 + np.tanh(x / 2)) / 2
    return y
