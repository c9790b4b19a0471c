"""concat: concatenates the branches of a `parallel`."""

from collections.abc import Iterator, Mapping
from itertools import product

from s2mlp_dsl.ir.shape import Shape, positions
from s2mlp_dsl.operators import POINTWISE, Array, ReceptiveField, Term
from s2mlp_dsl.operators._merge import Merge


class Concat(Merge):
    name = "concat"
    summary = "the channels of all branches, one after the other"
    formula = "y = (x₁, …, xₙ)"
    module = "Concat"
    example = "parallel(copy, merge = concat) {\n branch { linear(4) }\n branch { }\n}"
    equal_branches = False

    def shape(self) -> Shape:
        return self.x

    def receptive_field(self) -> ReceptiveField:
        return POINTWISE

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        return x

    def linear_map(self) -> Iterator[Term]:
        for entry in product(range(positions(self.x)), range(self.x.channels)):
            yield Term(entry, entry, None)
