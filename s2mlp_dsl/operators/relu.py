"""relu: the rectified linear unit."""

from collections.abc import Mapping

from s2mlp_dsl.operators import Array
from s2mlp_dsl.operators._pointwise import Activation


class Relu(Activation):
    name = "relu"
    summary = "the rectified linear unit"
    formula = "y = max(x, 0)"
    paper = "Nair and Hinton 2010"
    example = "relu"
    module = "nn.ReLU"

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        y: Array = np.maximum(x, 0)
        return y
