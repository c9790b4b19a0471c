"""One vector from a whole map."""

from torch import Tensor, nn


class MeanPool(nn.Module):
    """The mean over all positions: [B, H, W, C] to [B, C]."""

    def forward(self, x_BHWC: Tensor) -> Tensor:
        return x_BHWC.mean(dim=(1, 2))


class MaxPool(nn.Module):
    """The maximum over all positions: [B, H, W, C] to [B, C]."""

    def forward(self, x_BHWC: Tensor) -> Tensor:
        return x_BHWC.amax(dim=(1, 2))
