"""position: a learned embedding that tells positions apart."""

from collections.abc import Iterator, Mapping
from itertools import product

from s2mlp_dsl.diagnostics.catalogue import shapes
from s2mlp_dsl.ir.shape import Map, Shape, positions, positions_in_frame
from s2mlp_dsl.operators import (
    POINTWISE,
    Array,
    Construct,
    Operator,
    Properties,
    ReceptiveField,
    Refusal,
    Term,
)


class Position(Operator):
    name = "position"
    summary = "adds a learned number to each channel of each position"
    formula = "y[p, c] = x[p, c] + w[p, c]; the frames of a clip share w"
    initialisation = "w normal with standard deviation 0.02"
    paper = "ViT, Dosovitskiy et al. 2021"
    example = "position"
    example_input = Map(height=3, width=5, channels=4)

    @property
    def size(self) -> tuple[int, ...]:
        """[height, width, channels] of a map, [count, channels] of tokens."""
        return self.x.dims[-3:]

    def shape(self) -> Shape:
        if self.x.kind == "vector":
            raise Refusal(shapes.POSITIONS_NEEDED, channels=self.x.channels)
        return self.x

    keeps_zeros = False

    def tensors(self) -> dict[str, tuple[int, ...]]:
        return {"weight": self.size}

    def receptive_field(self) -> ReceptiveField:
        return POINTWISE

    def properties(self) -> Properties:
        return Properties(spatial_specific=True, channel_specific=True)

    def construct(self) -> Construct:
        return Construct.of("Position", *self.size)

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        y: Array = x + tensors["weight"]
        return y

    def linear_map(self) -> Iterator[Term]:
        count = positions_in_frame(self.x)
        for place, channel in product(range(positions(self.x)), range(self.x.channels)):
            yield Term((place, channel), (place, channel), None)
            yield Term((place, channel), None, (place % count, channel))
