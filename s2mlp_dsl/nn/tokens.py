"""Learned tokens and positions, and a token by its place."""

import torch
from torch import Tensor, nn


class ClassToken(nn.Module):
    """A learned token before the others: [B, S, C] to [B, S + 1, C]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.normal_(self.weight, std=0.02)

    def forward(self, x_BSC: Tensor) -> Tensor:
        first = self.weight.expand(x_BSC.shape[0], 1, -1)
        return torch.cat([first, x_BSC], dim=1)


class Take(nn.Module):
    """One token, counted from the end if negative: [B, S, C] to [B, C]."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self.place = place

    def forward(self, x_BSC: Tensor) -> Tensor:
        return x_BSC[:, self.place]


class Position(nn.Module):
    """Adds a learned number to each channel of each position: [B, …, size]."""

    def __init__(self, *size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(*size))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.normal_(self.weight, std=0.02)

    def forward(self, x_BX: Tensor) -> Tensor:
        return x_BX + self.weight
