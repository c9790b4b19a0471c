"""What is written into the source of a model: classes and functions, torch alone."""

import torch
from torch import Tensor, nn


class GlobalResponseNorm(nn.Module):
    """Channels compete by their norm over the positions of a frame: [B, …, H, W, C]."""

    def __init__(self, channels: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.zeros(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        norms = ((x * x).sum((-3, -2), keepdim=True) + self.eps) ** 0.5
        share = norms / norms.mean(-1, keepdim=True)
        return x + self.weight * share * x + self.bias
