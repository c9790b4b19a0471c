"""One vector from all positions."""

from torch import Tensor, nn


class MeanPool(nn.Module):
    """The mean over all positions: [B, …, C] to [B, C]."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1, -2).mean(dim=1)


class MaxPool(nn.Module):
    """The maximum over all positions: [B, …, C] to [B, C]."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1, -2).amax(dim=1)
