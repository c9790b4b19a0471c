"""ResMLP's affine map."""

import torch
from torch import Tensor, nn


class Affine(nn.Module):
    """y = weight · x + bias, channel by channel (ResMLP, section 2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x_XC: Tensor) -> Tensor:
        return torch.addcmul(self.bias, x_XC, self.weight)
