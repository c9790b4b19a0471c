"""extend: adds rows or columns at the end of a map, before the body of a `pad`."""

from collections.abc import Mapping
from typing import cast

from s2mlp_dsl.ir.program import Edge
from s2mlp_dsl.ir.shape import Map, Shape
from s2mlp_dsl.operators import (
    PADDING_MODES,
    Array,
    Construct,
    Count,
    Enum,
    Properties,
    index_inside,
)
from s2mlp_dsl.operators._axis import AlongAxis


class Extend(AlongAxis):
    name = "extend"
    summary = "adds rows or columns at the end of a map"
    formula = "y[i] = x[i] inside; beyond the end, what the edge rule reads there"
    paper = "the edge rules of the shift"
    example = "extend(y, 2, zeros)"
    example_input = Map(height=3, width=5, channels=4)

    axis = AlongAxis.axis
    count = Count("rows or columns to add", least=0)
    edge = Enum("what is added", choices=PADDING_MODES)

    def shape(self) -> Shape:
        return self.with_length(self.side_length + self.count)

    def along(self) -> list[int | None]:
        length, edge = self.side_length, cast(Edge, self.edge)
        return [index_inside(at, length, edge) for at in range(length + self.count)]

    def properties(self) -> Properties:
        return Properties("neighbours" if self.count else "position")

    def construct(self) -> Construct:
        return Construct.of("Extend", self.dim, self.count, self.edge)

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        modes = {"zeros": "constant", "replicate": "edge", "circular": "wrap"}
        width = [(0, 0)] * x.ndim
        width[self.dim] = (0, self.count)
        mode = modes.get(self.edge, self.edge)
        y: Array = np.pad(x, width, mode=mode)  # type: ignore[call-overload]
        return y
