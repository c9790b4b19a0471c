"""ResMLP's affine map."""

import torch
from torch import Tensor, nn


class Affine(nn.Module):
    """y = weight · x + bias, channel by channel (ResMLP, section 2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.empty(channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.ones_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, x_XC: Tensor) -> Tensor:
        return torch.addcmul(self.bias, x_XC, self.weight)
