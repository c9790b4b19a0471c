"""The patch-wise fully connected layer."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from s2mlp_dsl.nn.frames import OfFrames


class Patch(nn.Linear):
    """Splits a map into K × K patches, each through one linear layer.

    [B, H, W, in_channels] to [B, H / K, W / K, out_channels]. A patch is flattened
    in the order channel, row, column, as a convolution's weight is.
    """

    def __init__(self, patch_size: int, in_channels: int, out_channels: int) -> None:
        super().__init__(patch_size * patch_size * in_channels, out_channels)
        self.patch_size = patch_size

    def forward(self, x_BHWC: Tensor) -> Tensor:
        sides = (-1, self.patch_size)
        x_BHKWKC = torch.unflatten(torch.unflatten(x_BHWC, 2, sides), 1, sides)
        x_BHWCKK = x_BHKWKC.permute(0, 1, 3, 5, 2, 4)
        return F.linear(x_BHWCKK.flatten(3), self.weight, self.bias)


class FramePatch(OfFrames, Patch):
    """The same for each frame: [B, T, H, W, C]."""
