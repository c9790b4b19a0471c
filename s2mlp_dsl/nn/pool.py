"""One vector from all positions."""

from torch import Tensor, nn


class MeanPool(nn.Module):
    """The mean over all positions: [B, …, C] to [B, C]."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=list(range(1, x.dim() - 1)))


class MaxPool(nn.Module):
    """The maximum over all positions: [B, …, C] to [B, C]."""

    def forward(self, x: Tensor) -> Tensor:
        return x.amax(dim=list(range(1, x.dim() - 1)))
