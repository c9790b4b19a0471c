"""sum, mean, multiply, concat: how the branches of a `parallel` become one.

What the branches leave stands side by side: branch k of n has the channels from
k · c on. A fuse operator is written in `parallel(…, merge = …)`, not by itself.
"""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import ClassVar

from s2mlp_dsl.ir.shape import Map, Shape, positions, with_channels
from s2mlp_dsl.operators.base import (
    Args,
    Array,
    Construct,
    Operator,
    Parameter,
    Properties,
    Term,
)
from s2mlp_dsl.operators.receptive_field import POINTWISE, ReceptiveField

BRANCHES = Parameter("branches", "count", "how many there are", implied=True)


class Merge(Operator):
    """Branches of equal shape, entry by entry."""

    role = "merge"
    paper = "a sum of branches, as in AS-MLP, Lian et al. 2021"
    parameters: ClassVar[tuple[Parameter, ...]] = (BRANCHES,)
    example_input = Map(height=3, width=5, channels=4)
    module: ClassVar[str]

    def shape(self, x: Shape | None, a: Args) -> Shape:
        assert x is not None
        return with_channels(x, x.channels // a.count("branches"))

    def receptive_field(self, x: Shape, a: Args) -> ReceptiveField:
        return ReceptiveField(mixes=False, slices=a.count("branches"))

    def properties(self, x: Shape | None, a: Args) -> Properties:
        return Properties(False, "position", False, False)

    def rowwise(self, x: Shape | None, a: Args) -> bool:
        return True

    def construct(self, x: Shape | None, a: Args) -> Construct:
        return Construct(self.module)


def parts_of(x: Array, a: Args) -> list[Array]:
    """What each branch left: n arrays [batch, …, c] of one [batch, …, n · c]."""
    import numpy as np

    return np.split(x, a.count("branches"), axis=-1)


class Sum(Merge):
    name = "sum"
    summary = "the sum of the branches"
    formula = "y = Σ xₖ"
    module = "Sum"
    example = "parallel(copy, merge = sum) {\n branch { linear(4) }\n branch { }\n}"

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        first, *others = parts_of(x, a)
        return sum(others, first)

    def linear_map(self, x: Shape, a: Args) -> Iterator[Term]:
        count = a.count("branches")
        width = x.channels // count
        for place, c in product(range(positions(x)), range(width)):
            for branch in range(count):
                yield Term((place, c), (place, branch * width + c), None)


class Mean(Merge):
    name = "mean"
    summary = "the mean of the branches"
    formula = "y = Σ xₖ / n"
    module = "Mean"
    example = "parallel(copy, merge = mean) {\n branch { linear(4) }\n branch { }\n}"

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        first, *others = parts_of(x, a)
        mean: Array = sum(others, first) / a.count("branches")
        return mean


class Multiply(Merge):
    name = "multiply"
    summary = "the product of the branches, which lets one gate the others"
    formula = "y = Π xₖ"
    paper = "gMLP, Liu et al. 2021 (the spatial gate)"
    module = "Multiply"
    example = (
        "parallel(split, merge = multiply) {\n branch { }\n branch { linear(dim) }\n}"
    )

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        first, *others = parts_of(x, a)
        for other in others:
            first = first * other
        return first


class Concat(Merge):
    name = "concat"
    summary = "the channels of all branches, one behind the other"
    formula = "y = (x₁, …, xₙ)"
    module = "Concat"
    example = "parallel(copy, merge = concat) {\n branch { linear(4) }\n branch { }\n}"
    alike = False

    def shape(self, x: Shape | None, a: Args) -> Shape:
        assert x is not None
        return x

    def receptive_field(self, x: Shape, a: Args) -> ReceptiveField:
        return POINTWISE

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        return x

    def linear_map(self, x: Shape, a: Args) -> Iterator[Term]:
        for entry in product(range(positions(x)), range(x.channels)):
            yield Term(entry, entry, None)
