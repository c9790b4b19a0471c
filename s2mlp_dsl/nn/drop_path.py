"""Stochastic depth (Huang et al. 2016), for training alone."""

import torch
from torch import Tensor, nn


class DropPath(nn.Module):
    """Leaves a residual branch out for each sample with probability p."""

    p: float

    def __init__(self) -> None:
        super().__init__()
        self.p = 0.0

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        ones = [1 for _ in x.shape[1:]]
        keep = torch.rand(x.shape[0], *ones, device=x.device) >= self.p
        return x * keep / (1 - self.p)
