"""gelu: the Gaussian error linear unit, in its exact form."""

import math
from collections.abc import Mapping

from s2mlp_dsl.operators import Array
from s2mlp_dsl.operators._pointwise import Activation


class Gelu(Activation):
    name = "gelu"
    summary = "the Gaussian error linear unit, in its exact form"
    formula = "y = x · (1 + erf(x / √2)) / 2"
    paper = "Hendrycks and Gimpel 2016"
    example = "gelu"
    module = "nn.GELU"

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        from scipy.special import erf

        y: Array = x * (1 + erf(x / math.sqrt(2))) / 2
        return y
