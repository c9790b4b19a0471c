"""silu: the sigmoid linear unit, also called swish."""

from collections.abc import Mapping

from s2mlp_dsl.operators import Array
from s2mlp_dsl.operators._pointwise import Activation


class Silu(Activation):
    name = "silu"
    summary = "the sigmoid linear unit, also called swish"
    formula = "y = x / (1 + e⁻ˣ)"
    paper = "Hendrycks and Gimpel 2016; Ramachandran et al. 2017"
    example = "silu"
    module = "nn.SiLU"

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        # (1 + tanh(x / 2)) / 2 does not overflow.
        y: Array = x * (1 + np.tanh(x / 2)) / 2
        return y
