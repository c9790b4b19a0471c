"""Convolutions of a map, or of each frame of a clip."""

import torch
from torch import Tensor, nn

from s2mlp_dsl.nn.edges import bring_inside


class Conv(nn.Conv2d):
    """A convolution of [B, …, H, W, channels]; the axes before H go frame by frame.

    Edges other than zero are gathered before the convolution, which pads
    nothing itself then.
    """

    def __init__(
        self,
        channels: int,
        width: int,
        kernel: int,
        stride: int = 1,
        padding: int = 0,
        edge: str = "zero",
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        zeros = padding if edge == "zero" else 0
        super().__init__(
            channels, width, kernel, stride, zeros, groups=groups, bias=bias
        )
        self.margin, self.edge = padding, edge

    def forward(self, x: Tensor) -> Tensor:
        frames = x.flatten(0, -4)
        if self.edge != "zero":
            for axis in (1, 2):
                length = frames.shape[axis]
                index = torch.arange(
                    -self.margin, length + self.margin, device=x.device
                )
                inside = bring_inside(index, length, self.edge)
                frames = frames.index_select(axis, inside)
        y = super().forward(frames.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return y.reshape(*x.shape[:-3], *y.shape[1:])


class Depthwise(Conv):
    """Each channel convolved with a kernel of its own."""

    def __init__(
        self,
        channels: int,
        kernel: int,
        edge: str = "zero",
        bias: bool = True,
        stride: int = 1,
    ) -> None:
        half = kernel // 2
        super().__init__(channels, channels, kernel, stride, half, edge, channels, bias)
