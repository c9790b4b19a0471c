"""Pooling over all positions, or over windows."""

from torch import Tensor, nn
from torch.nn import functional as F

from s2mlp_dsl.nn.frames import OfFrames


class MeanPool(nn.Module):
    """The mean over all positions: [B, …, C] to [B, C]."""

    def forward(self, x_BXC: Tensor) -> Tensor:
        return x_BXC.flatten(1, -2).mean(dim=1)


class MaxPool(nn.Module):
    """The maximum over all positions: [B, …, C] to [B, C]."""

    def forward(self, x_BXC: Tensor) -> Tensor:
        return x_BXC.flatten(1, -2).amax(dim=1)


class MeanWindows(nn.AvgPool2d):
    """The mean over the positions of each window inside the map: [B, H, W, C]."""

    def __init__(self, kernel_size: int, stride: int, padding: int) -> None:
        super().__init__(kernel_size, stride, padding, count_include_pad=False)

    def forward(self, x_BHWC: Tensor) -> Tensor:
        y_BCHW = F.avg_pool2d(
            x_BHWC.permute(0, 3, 1, 2),
            self.kernel_size,
            self.stride,
            self.padding,
            count_include_pad=False,
        )
        return y_BCHW.permute(0, 2, 3, 1)


class FrameMeanWindows(OfFrames, MeanWindows):
    """The same for each frame: [B, T, H, W, C]."""


class MaxWindows(nn.MaxPool2d):
    """The maximum over each window: [B, H, W, C]."""

    def __init__(self, kernel_size: int, stride: int, padding: int) -> None:
        super().__init__(kernel_size, stride, padding)

    def forward(self, x_BHWC: Tensor) -> Tensor:
        y_BCHW = F.max_pool2d(
            x_BHWC.permute(0, 3, 1, 2), self.kernel_size, self.stride, self.padding
        )
        return y_BCHW.permute(0, 2, 3, 1)


class FrameMaxWindows(OfFrames, MaxWindows):
    """The same for each frame: [B, T, H, W, C]."""
