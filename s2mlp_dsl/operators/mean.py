"""mean: averages the branches of a `parallel`."""

from collections.abc import Mapping

from s2mlp_dsl.operators import Array
from s2mlp_dsl.operators._merge import Merge


class Mean(Merge):
    name = "mean"
    summary = "the mean of the branches"
    formula = "y = Σ xₖ / n"
    module = "Mean"
    example = "parallel(copy, merge = mean) {\n branch { linear(4) }\n branch { }\n}"

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        first, *others = self.split(x)
        mean: Array = sum(others, first) / self.branches
        return mean
