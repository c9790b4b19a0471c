"""A map made longer at its end, and cropped again."""

import torch
from torch import Tensor, nn

from s2mlp_dsl.nn.edges import bring_inside


class Extend(nn.Module):
    """Adds `count` rows (axis −3) or columns (axis −2) as the edge rule reads them."""

    def __init__(self, axis: int, count: int, edge: str) -> None:
        super().__init__()
        self.axis, self.count, self.edge = axis, count, edge

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[self.axis]
        index = torch.arange(length + self.count, device=x.device)
        y = x.index_select(self.axis, bring_inside(index, length, self.edge))
        if self.edge == "zeros":
            behind = [1] * (-self.axis - 1)
            inside = (index < length).view(-1, *behind)
            y = torch.where(inside, y, torch.zeros_like(y))
        return y


class Crop(nn.Module):
    """Keeps the first `length` rows (axis −3) or columns (axis −2)."""

    def __init__(self, axis: int, length: int) -> None:
        super().__init__()
        self.axis, self.length = axis, length

    def forward(self, x: Tensor) -> Tensor:
        return x.narrow(self.axis, 0, self.length)
