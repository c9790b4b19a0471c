"""Clips, frame by frame."""

import torch
from torch import Tensor, nn


class OfFrames(nn.Module):
    """As the first base of a class, applies the second to each frame of a clip."""

    def forward(self, x_BTHWC: Tensor) -> Tensor:
        y_BHWC = super().forward(x_BTHWC.flatten(0, 1))
        return torch.unflatten(y_BHWC, 0, x_BTHWC.shape[:2])
