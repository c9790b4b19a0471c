"""Operators on each position by itself, of any shape."""

from typing import ClassVar

from s2mlp_dsl.ir.shape import Map, Shape
from s2mlp_dsl.operators import (
    POINTWISE,
    Construct,
    Operator,
    Properties,
    ReceptiveField,
)


class Pointwise(Operator):
    """Each number by itself, or with weights of its channel."""

    example_input = Map(height=3, width=5, channels=4)

    def shape(self) -> Shape:
        return self.x

    def receptive_field(self) -> ReceptiveField:
        return POINTWISE

    def properties(self) -> Properties:
        return Properties(channel_specific=self.learned)

    def accepts_rows(self) -> bool:
        return True


class Activation(Pointwise):
    """A function of one number."""

    module: ClassVar[str]

    def construct(self) -> Construct:
        return Construct(self.module)
