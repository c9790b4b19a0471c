"""sum: adds the branches of a `parallel`."""

from collections.abc import Iterator, Mapping
from itertools import product

from s2mlp_dsl.ir.shape import positions
from s2mlp_dsl.operators import Array, Term
from s2mlp_dsl.operators._merge import Merge


class Sum(Merge):
    name = "sum"
    summary = "the sum of the branches"
    formula = "y = Σ xₖ"
    module = "Sum"
    example = "parallel(copy, merge = sum) {\n branch { linear(4) }\n branch { }\n}"

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        first, *others = self.split(x)
        return sum(others, first)

    def linear_map(self) -> Iterator[Term]:
        for place, c in product(range(positions(self.x)), range(self.width)):
            for branch in range(self.branches):
                yield Term((place, c), (place, branch * self.width + c), None)
