"""video: where a clip comes in."""

from collections.abc import Mapping

from s2mlp_dsl.ir.shape import Map, Shape
from s2mlp_dsl.ops import codes
from s2mlp_dsl.ops.base import (
    Args,
    Array,
    Construct,
    Operator,
    Parameter,
    Properties,
    Refusal,
)
from s2mlp_dsl.ops.reach import POINTWISE, Reach


class Video(Operator):
    name = "video"
    role = "input"
    summary = "a clip of so many channels, frames, rows and columns becomes a map"
    formula = "y[t, y, x, c] = clip[c, t, y, x]"
    paper = "PyTorch's order of axes, [batch, channels, time, height, width]"
    parameters = (
        Parameter("channels", "count", "colours of a frame"),
        Parameter("frames", "count", "frames of the clip"),
        Parameter("height", "count", "rows"),
        Parameter("width", "count", "columns"),
    )
    example = "video(3, 4, 6, 8)"
    example_input = None

    def shape(self, x: Shape | None, a: Args) -> Shape:
        if x is not None:
            raise Refusal(
                codes.IMAGE_AGAIN, f"a map of {x} is already here", help="remove it"
            )
        return Map(
            time=a.count("frames"),
            height=a.count("height"),
            width=a.count("width"),
            channels=a.count("channels"),
        )

    def reach(self, x: Shape, a: Args) -> Reach:
        return POINTWISE

    def properties(self, x: Shape | None, a: Args) -> Properties:
        return Properties(False, "position", False, False)

    def construct(self, x: Shape | None, a: Args) -> Construct:
        return Construct("VideoToMap")

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        return x.transpose(0, 2, 3, 4, 1)
