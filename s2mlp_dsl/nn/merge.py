"""Branches that become one."""

import torch
from torch import Tensor, nn


class Sum(nn.Module):
    """The sum of the branches, all [B, …, C]."""

    def forward(self, *branches: Tensor) -> Tensor:
        return sum(branches[1:], branches[0])


class Mean(nn.Module):
    """The mean of the branches, all [B, …, C]."""

    def forward(self, *branches: Tensor) -> Tensor:
        return sum(branches[1:], branches[0]) / len(branches)


class Multiply(nn.Module):
    """The product of the branches, all [B, …, C]."""

    def forward(self, *branches: Tensor) -> Tensor:
        y = branches[0]
        for branch in branches[1:]:
            y = y * branch
        return y


class Concat(nn.Module):
    """The channels of all branches, one behind the other."""

    def forward(self, *branches: Tensor) -> Tensor:
        return torch.cat(branches, dim=-1)
