"""Positions joined: all of them, or those of each window."""

from torch import Tensor, nn


class MeanPool(nn.Module):
    """The mean over all positions: [B, …, C] to [B, C]."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1, -2).mean(dim=1)


class MaxPool(nn.Module):
    """The maximum over all positions: [B, …, C] to [B, C]."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1, -2).amax(dim=1)


class MeanWindows(nn.AvgPool2d):
    """The mean over each window, of positions inside the map: [B, …, H, W, C]."""

    def __init__(self, size: int, stride: int, padding: int) -> None:
        super().__init__(size, stride, padding, count_include_pad=False)

    def forward(self, x: Tensor) -> Tensor:
        frames = x.flatten(0, -4).permute(0, 3, 1, 2)
        y = super().forward(frames).permute(0, 2, 3, 1)
        return y.reshape(*x.shape[:-3], *y.shape[1:])


class MaxWindows(nn.MaxPool2d):
    """The maximum over each window: [B, …, H, W, C]."""

    def __init__(self, size: int, stride: int, padding: int) -> None:
        super().__init__(size, stride, padding)

    def forward(self, x: Tensor) -> Tensor:
        frames = x.flatten(0, -4).permute(0, 3, 1, 2)
        y: Tensor = super().forward(frames).permute(0, 2, 3, 1)
        return y.reshape(*x.shape[:-3], *y.shape[1:])
