"""A map extended at its end, and cropped again."""

import torch
from torch import Tensor, nn
from torch.fx import wrap

from s2mlp_dsl.nn.edges import bring_inside


class Extend(nn.Module):
    """Adds `count` rows (axis −3) or columns (axis −2) as the edge rule reads them."""

    def __init__(self, axis: int, count: int, edge: str) -> None:
        super().__init__()
        self.axis, self.count, self.edge = axis, count, edge

    def forward(self, x_XHWC: Tensor) -> Tensor:
        return extended(x_XHWC, self.axis, self.count, self.edge)


@wrap
def extended(x_XHWC: Tensor, axis: int, count: int, edge: str) -> Tensor:
    """The map with more rows or columns at its end."""
    length = x_XHWC.shape[axis]
    index = torch.arange(length + count, device=x_XHWC.device)
    y_XHWC = x_XHWC.index_select(axis, bring_inside(index, length, edge))
    if edge == "zeros":
        inside = (index < length).view([-1] + [1] * (-axis - 1))
        y_XHWC = torch.where(inside, y_XHWC, torch.zeros_like(y_XHWC))
    return y_XHWC


class Crop(nn.Module):
    """Keeps the first `length` rows (axis −3) or columns (axis −2)."""

    def __init__(self, axis: int, length: int) -> None:
        super().__init__()
        self.axis, self.length = axis, length

    def forward(self, x_XHWC: Tensor) -> Tensor:
        return x_XHWC.narrow(self.axis, 0, self.length)
