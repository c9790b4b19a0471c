"""What is read outside the map."""

import torch
from torch import Tensor
from torch.fx import wrap


def bring_inside(index: Tensor, length: int, edge: str) -> Tensor:
    """Indices of an axis, moved into 0 … length − 1 by an edge rule.

    `circular` wraps around and `reflect` mirrors without repeating the border; the
    other rules read the nearest index, and the caller of `keep` and `zeros` replaces
    what is read.
    """
    if edge == "circular":
        return index % length
    if edge == "reflect":
        period = max(2 * (length - 1), 1)
        index = index % period
        return torch.minimum(index, period - index).clamp(max=length - 1)
    return index.clamp(0, length - 1)


@wrap
def with_margin(x_BHWC: Tensor, margin: int, edge: str) -> Tensor:
    """The map with `margin` more rows and columns on each side, by an edge rule."""
    for axis in (1, 2):
        length = x_BHWC.shape[axis]
        index = torch.arange(-margin, length + margin, device=x_BHWC.device)
        x_BHWC = x_BHWC.index_select(axis, bring_inside(index, length, edge))
    return x_BHWC
