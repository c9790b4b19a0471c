"""LayerScale."""

import torch
from torch import Tensor, nn


class Scale(nn.Module):
    """y = weight · x, channel by channel (CaiT, Touvron et al. 2021)."""

    def __init__(self, channels: int, init: float) -> None:
        super().__init__()
        self.init = init
        self.weight = nn.Parameter(torch.empty(channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.constant_(self.weight, self.init)

    def forward(self, x_XC: Tensor) -> Tensor:
        return x_XC * self.weight
