"""The image as a map."""

from torch import Tensor, nn


class ImageToMap(nn.Module):
    """[batch, channels, height, width] to [batch, height, width, channels]."""

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return x_BCHW.permute(0, 2, 3, 1)
