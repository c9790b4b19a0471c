"""video: the input of a model of clips."""

from collections.abc import Mapping

from s2mlp_dsl.ir.shape import Map, Shape
from s2mlp_dsl.operators import Array, Construct, Count
from s2mlp_dsl.operators.image import Image


class Video(Image):
    name = "video"
    summary = "the input, a clip of these channels, frames, rows and columns, as a map"
    formula = "y[t, y, x, c] = clip[c, t, y, x]"
    paper = "PyTorch's order of axes, [batch, channels, time, height, width]"
    example = "video(3, 4, 6, 8)"

    channels = Count("colours of a frame")
    frames = Count("frames of the clip")
    height = Count("rows")
    width = Count("columns")

    def shape(self) -> Shape:
        frame = super().shape()
        assert isinstance(frame, Map)
        return frame.model_copy(update={"time": self.frames})

    def construct(self) -> Construct:
        return Construct.of("VideoToMap", channels=self.channels)

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        return x.transpose(0, 2, 3, 4, 1)
