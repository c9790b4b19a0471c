"""Stochastic depth (Huang et al. 2016), for training only."""

import torch
from torch import Tensor, nn


class DropPath(nn.Module):
    """Drops a residual branch for each sample with probability p."""

    p: float

    def __init__(self) -> None:
        super().__init__()
        self.p = 0.0

    def forward(self, x_BX: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x_BX
        ones = [1 for _ in x_BX.shape[1:]]
        keep = torch.rand(x_BX.shape[0], *ones, device=x_BX.device) >= self.p
        return x_BX * keep / (1 - self.p)
