"""Pooling over all positions, or over windows."""

from torch import Tensor, nn


class MeanPool(nn.Module):
    """The mean over all positions: [B, …, C] to [B, C]."""

    def forward(self, x_BXC: Tensor) -> Tensor:
        return x_BXC.flatten(1, -2).mean(dim=1)


class MaxPool(nn.Module):
    """The maximum over all positions: [B, …, C] to [B, C]."""

    def forward(self, x_BXC: Tensor) -> Tensor:
        return x_BXC.flatten(1, -2).amax(dim=1)


class MeanWindows(nn.AvgPool2d):
    """The mean over the positions of each window inside the map: [B, …, H, W, C]."""

    def __init__(self, kernel_size: int, stride: int, padding: int) -> None:
        super().__init__(kernel_size, stride, padding, count_include_pad=False)

    def forward(self, x_XHWC: Tensor) -> Tensor:
        x_BCHW = x_XHWC.flatten(0, -4).permute(0, 3, 1, 2)
        y_BHWC = super().forward(x_BCHW).permute(0, 2, 3, 1)
        return y_BHWC.reshape(*x_XHWC.shape[:-3], *y_BHWC.shape[1:])


class MaxWindows(nn.MaxPool2d):
    """The maximum over each window: [B, …, H, W, C]."""

    def __init__(self, kernel_size: int, stride: int, padding: int) -> None:
        super().__init__(kernel_size, stride, padding)

    def forward(self, x_XHWC: Tensor) -> Tensor:
        x_BCHW = x_XHWC.flatten(0, -4).permute(0, 3, 1, 2)
        y_BHWC: Tensor = super().forward(x_BCHW).permute(0, 2, 3, 1)
        return y_BHWC.reshape(*x_XHWC.shape[:-3], *y_BHWC.shape[1:])
