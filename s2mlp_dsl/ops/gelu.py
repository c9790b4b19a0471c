"""gelu: the Gaussian error linear unit, exact form."""

import math
from collections.abc import Mapping

from s2mlp_dsl.ir.shape import Map, Shape
from s2mlp_dsl.ops.base import Args, Array, Construct, Operator, Properties
from s2mlp_dsl.ops.reach import POINTWISE, Reach


class Gelu(Operator):
    name = "gelu"
    summary = "the Gaussian error linear unit, in its exact form"
    formula = "y = x · (1 + erf(x / √2)) / 2"
    paper = "Hendrycks and Gimpel 2016"
    example = "gelu"
    example_input = Map(height=3, width=5, channels=4)

    def shape(self, x: Shape | None, a: Args) -> Shape:
        assert x is not None
        return x

    def reach(self, x: Shape, a: Args) -> Reach:
        return POINTWISE

    def properties(self, x: Shape | None, a: Args) -> Properties:
        return Properties(False, "position", False, False)

    def construct(self, x: Shape | None, a: Args) -> Construct:
        return Construct("nn.GELU")

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        flat = (x / math.sqrt(2)).ravel()
        erf = np.fromiter(map(math.erf, flat.tolist()), float, count=flat.size)
        y: Array = x * (1 + erf.reshape(x.shape)) / 2
        return y
