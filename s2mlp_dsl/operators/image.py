"""image: the input of a model."""

from collections.abc import Mapping

from s2mlp_dsl.diagnostics.catalogue import shapes
from s2mlp_dsl.ir.shape import Map, Shape
from s2mlp_dsl.operators import (
    POINTWISE,
    Array,
    Construct,
    Count,
    Operator,
    Properties,
    ReceptiveField,
    Refusal,
)


class Image(Operator):
    name = "image"
    role = "input"
    summary = "the input, an image of these channels, rows and columns, as a map"
    formula = "y[y, x, c] = image[c, y, x]"
    paper = "PyTorch's order of axes, [batch, channels, height, width]"
    example = "image(3, 6, 8)"
    example_input = None

    channels = Count("colours of the image")
    height = Count("rows")
    width = Count("columns")

    def shape(self) -> Shape:
        if self.source is not None:
            raise Refusal(shapes.SECOND_IMAGE, shape=self.source)
        return Map(height=self.height, width=self.width, channels=self.channels)

    def receptive_field(self) -> ReceptiveField:
        return POINTWISE

    def properties(self) -> Properties:
        return Properties()

    def construct(self) -> Construct:
        return Construct.of("ImageToMap", channels=self.channels)

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        return x.transpose(0, 2, 3, 1)
