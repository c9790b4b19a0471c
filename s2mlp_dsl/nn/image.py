"""The image, or a clip of them, as a map."""

import torch
from torch import Tensor, nn


class ImageToMap(nn.Module):
    """[batch, channels, height, width] to [batch, height, width, channels]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.expected = f"expected images [batch, {channels}, height, width]"

    def forward(self, x_BCHW: Tensor) -> Tensor:
        torch._assert(x_BCHW.shape[1] == self.channels, self.expected)
        return x_BCHW.permute(0, 2, 3, 1)


class VideoToMap(nn.Module):
    """[batch, channels, time, height, width] to channels last."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.expected = f"expected clips [batch, {channels}, time, height, width]"

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        torch._assert(x_BCTHW.shape[1] == self.channels, self.expected)
        return x_BCTHW.permute(0, 2, 3, 4, 1)
