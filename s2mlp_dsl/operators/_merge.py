"""How the branches of a `parallel` become one.

The results of the branches are concatenated: branch k of n has the channels from k · c
on. A merge is written in `parallel(…, merge = …)`, not by itself.
"""

from typing import ClassVar

from s2mlp_dsl.ir.shape import Map, Shape, with_channels
from s2mlp_dsl.operators import (
    Array,
    Construct,
    Count,
    Operator,
    Properties,
    ReceptiveField,
)


class Merge(Operator):
    """Branches of equal shape, entry by entry."""

    role = "merge"
    paper = "a sum of branches, as in AS-MLP, Lian et al. 2021"
    example_input = Map(height=3, width=5, channels=4)
    module: ClassVar[str]

    branches = Count("number of branches", implied=True)

    @property
    def width(self) -> int:
        """Channels of a branch, if all have the same number."""
        return self.x.channels // self.branches

    def split(self, x: Array) -> list[Array]:
        """The result of each branch, [batch, …, width]."""
        import numpy as np

        return np.split(x, self.branches, axis=-1)

    def shape(self) -> Shape:
        return with_channels(self.x, self.width)

    def receptive_field(self) -> ReceptiveField:
        return ReceptiveField(mixes=False, slices=self.branches)

    def properties(self) -> Properties:
        return Properties()

    def accepts_rows(self) -> bool:
        return True

    def construct(self) -> Construct:
        return Construct(self.module)
