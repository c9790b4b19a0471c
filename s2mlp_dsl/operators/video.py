"""video: where a clip comes in."""

from collections.abc import Mapping

from s2mlp_dsl.ir.shape import Shape
from s2mlp_dsl.operators.base import Args, Array, Construct, Parameter
from s2mlp_dsl.operators.image import Image


class Video(Image):
    name = "video"
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

    def construct(self, x: Shape | None, a: Args) -> Construct:
        return Construct("VideoToMap")

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        return x.transpose(0, 2, 3, 4, 1)
