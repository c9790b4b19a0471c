"""Depthwise convolution of a map."""

import torch
from torch import Tensor, nn

from s2mlp_dsl.nn.edges import bring_inside


class Depthwise(nn.Conv2d):
    """Each channel convolved with a kernel of its own; the map keeps its size.

    Edges other than zero are gathered before the convolution, which pads
    nothing itself then.
    """

    def __init__(
        self, channels: int, kernel: int, edge: str = "zero", bias: bool = True
    ) -> None:
        padding = kernel // 2 if edge == "zero" else 0
        super().__init__(
            channels, channels, kernel, padding=padding, groups=channels, bias=bias
        )
        self.edge = edge

    def forward(self, x_BHWC: Tensor) -> Tensor:
        if self.edge != "zero":
            half = self.kernel_size[0] // 2
            for axis in (1, 2):
                length = x_BHWC.shape[axis]
                index = torch.arange(-half, length + half, device=x_BHWC.device)
                inside = bring_inside(index, length, self.edge)
                x_BHWC = x_BHWC.index_select(axis, inside)
        return super().forward(x_BHWC.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


class FrameDepthwise(Depthwise):
    """The same for each frame: [B, T, H, W, channels]."""

    def forward(self, x_BTHWC: Tensor) -> Tensor:
        frames = super().forward(x_BTHWC.flatten(0, 1))
        return frames.reshape(*x_BTHWC.shape[:2], *frames.shape[1:])
