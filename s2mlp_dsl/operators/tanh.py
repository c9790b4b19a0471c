"""tanh: the hyperbolic tangent, between −1 and 1."""

from collections.abc import Mapping

from s2mlp_dsl.operators import Array
from s2mlp_dsl.operators._pointwise import Activation


class Tanh(Activation):
    name = "tanh"
    summary = "the hyperbolic tangent, between −1 and 1"
    formula = "y = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)"
    paper = "LeCun et al. 1998"
    example = "tanh"
    module = "nn.Tanh"

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        y: Array = np.tanh(x)
        return y
