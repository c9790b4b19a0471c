"""multiply: multiplies the branches of a `parallel`."""

from collections.abc import Mapping
from dataclasses import replace
from math import prod

from s2mlp_dsl.operators import Array, ReceptiveField
from s2mlp_dsl.operators._merge import Merge


class Multiply(Merge):
    name = "multiply"
    summary = "the product of the branches, so that one can gate the others"
    formula = "y = Π xₖ"
    paper = "gMLP, Liu et al. 2021 (the spatial gate)"
    module = "Multiply"
    example = (
        "parallel(split, merge = multiply) {\n branch { }\n branch { linear(dim) }\n}"
    )

    def receptive_field(self) -> ReceptiveField:
        return replace(super().receptive_field(), product=True)

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        first, *others = self.split(x)
        return prod(others, start=first)
