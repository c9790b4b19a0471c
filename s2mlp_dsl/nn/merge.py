"""Merging branches."""

import torch
from torch import Tensor, nn


class Sum(nn.Module):
    """The sum of the branches, all [B, …, C]."""

    def forward(self, *branches_BXC: Tensor) -> Tensor:
        return sum(branches_BXC[1:], branches_BXC[0])


class Mean(nn.Module):
    """The mean of the branches, all [B, …, C]."""

    def forward(self, *branches_BXC: Tensor) -> Tensor:
        return sum(branches_BXC[1:], branches_BXC[0]) / len(branches_BXC)


class Multiply(nn.Module):
    """The product of the branches, all [B, …, C]."""

    def forward(self, *branches_BXC: Tensor) -> Tensor:
        y_BXC = branches_BXC[0]
        for x_BXC in branches_BXC[1:]:
            y_BXC = y_BXC * x_BXC
        return y_BXC


class Concat(nn.Module):
    """The concatenated channels of the branches."""

    def forward(self, *branches_BXC: Tensor) -> Tensor:
        return torch.cat(branches_BXC, dim=-1)
