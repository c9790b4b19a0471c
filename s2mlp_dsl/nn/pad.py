"""A map extended at its end, and cropped again."""

import torch
from torch import Tensor, nn

from s2mlp_dsl.nn.edges import bring_inside


class Extend(nn.Module):
    """Adds `count` rows (axis −3) or columns (axis −2) as the edge rule reads them."""

    def __init__(self, axis: int, count: int, edge: str) -> None:
        super().__init__()
        self.axis, self.count, self.edge = axis, count, edge

    def forward(self, x_XHWC: Tensor) -> Tensor:
        length = x_XHWC.shape[self.axis]
        index = torch.arange(length + self.count, device=x_XHWC.device)
        source = bring_inside(index, length, self.edge)
        y_XHWC = x_XHWC.index_select(self.axis, source)
        if self.edge == "zeros":
            behind = [1] * (-self.axis - 1)
            inside = (index < length).view(-1, *behind)
            y_XHWC = torch.where(inside, y_XHWC, torch.zeros_like(y_XHWC))
        return y_XHWC


class Crop(nn.Module):
    """Keeps the first `length` rows (axis −3) or columns (axis −2)."""

    def __init__(self, axis: int, length: int) -> None:
        super().__init__()
        self.axis, self.length = axis, length

    def forward(self, x_XHWC: Tensor) -> Tensor:
        return x_XHWC.narrow(self.axis, 0, self.length)
