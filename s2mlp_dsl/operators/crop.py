"""crop: keeps the first rows or columns of a map, after the body of a `pad`."""

from collections.abc import Mapping

from s2mlp_dsl.diagnostics.catalogue import shapes
from s2mlp_dsl.ir.shape import Map, Shape
from s2mlp_dsl.operators import Array, Construct, Count, Properties, Refusal
from s2mlp_dsl.operators._axis import AlongAxis


class Crop(AlongAxis):
    name = "crop"
    summary = "keeps the first rows or columns of a map"
    formula = "y[i] = x[i] for i < length"
    paper = "what `pad` ends with"
    example = "crop(y, 2)"
    example_input = Map(height=3, width=5, channels=4)

    axis = AlongAxis.axis
    length = Count("rows or columns to keep")

    def shape(self) -> Shape:
        if self.length > self.side_length:
            raise Refusal(
                shapes.CROP_TOO_LONG,
                argument="length",
                shape=self.x,
                most=self.side_length,
            )
        return self.with_length(self.length)

    def along(self) -> range:
        return range(self.length)

    def properties(self) -> Properties:
        return Properties()

    def construct(self) -> Construct:
        return Construct.of("Crop", self.dim, self.length)

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        return x.take(range(self.length), axis=self.dim)
