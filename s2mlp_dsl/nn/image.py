"""The image, or a clip of them, as a map."""

from torch import Tensor, nn


class ImageToMap(nn.Module):
    """[batch, channels, height, width] to [batch, height, width, channels]."""

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return x_BCHW.permute(0, 2, 3, 1)


class VideoToMap(nn.Module):
    """[batch, channels, time, height, width] to channels last."""

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        return x_BCTHW.permute(0, 2, 3, 4, 1)
