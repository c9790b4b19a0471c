"""sigmoid: the logistic function, between 0 and 1: a soft gate."""

from collections.abc import Mapping

from s2mlp_dsl.operators import Array
from s2mlp_dsl.operators._pointwise import Activation


class Sigmoid(Activation):
    name = "sigmoid"
    summary = "the logistic function, between 0 and 1: a soft gate"
    formula = "y = 1 / (1 + e⁻ˣ)"
    paper = "Rumelhart et al. 1986"
    example = "sigmoid"
    module = "nn.Sigmoid"
    keeps_zeros = False  # 1/2

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        # (1 + tanh(x / 2)) / 2 does not overflow.
        y: Array = (1 + np.tanh(x / 2)) / 2
        return y
