"""image: where the picture comes in."""

from collections.abc import Mapping
from typing import ClassVar

from s2mlp_dsl.ir.shape import Map, Shape
from s2mlp_dsl.operators import codes
from s2mlp_dsl.operators.base import (
    Args,
    Array,
    Construct,
    Operator,
    Parameter,
    Properties,
    Refusal,
)
from s2mlp_dsl.operators.receptive_field import POINTWISE, ReceptiveField


class Image(Operator):
    name = "image"
    role = "input"
    summary = "an image of so many channels, rows and columns becomes a map"
    formula = "y[y, x, c] = image[c, y, x]"
    paper = "PyTorch's order of axes, [batch, channels, height, width]"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("channels", "count", "colours of the image"),
        Parameter("height", "count", "rows"),
        Parameter("width", "count", "columns"),
    )
    example = "image(3, 6, 8)"
    example_input = None

    def shape(self, x: Shape | None, a: Args) -> Shape:
        if x is not None:
            raise Refusal(
                codes.IMAGE_AGAIN, f"a map of {x} is already here", help="remove it"
            )
        return Map(
            # `video` has frames, and is otherwise the same.
            time=a.count("frames") if "frames" in a.values else None,
            height=a.count("height"),
            width=a.count("width"),
            channels=a.count("channels"),
        )

    def receptive_field(self, x: Shape, a: Args) -> ReceptiveField:
        return POINTWISE

    def properties(self, x: Shape | None, a: Args) -> Properties:
        return Properties(False, "position", False, False)

    def construct(self, x: Shape | None, a: Args) -> Construct:
        return Construct("ImageToMap")

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        return x.transpose(0, 2, 3, 1)
