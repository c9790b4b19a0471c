"""The spatial shift as slices and concatenation."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.fx import wrap


class SlicedShift(nn.Module):
    """Moves each channel group of a map by its own displacement.

    Y[p, c] = X[p − d, c] for every channel c of the group that moves by d; all
    groups read X, never Y. `groups` are (channels, right, down). A position p − d
    outside the map is read by the `edge` rule: keep reads X[p, c], zeros reads 0,
    replicate repeats the border and circular wraps around, each axis by itself.
    """

    groups: list[tuple[int, int, int]]

    def __init__(self, groups: Sequence[tuple[int, int, int]], edge: str) -> None:
        super().__init__()
        self.groups, self.edge = list(groups), edge

    def forward(self, x_BHWC: Tensor) -> Tensor:
        return slid(x_BHWC, self.groups, self.edge)

    def extra_repr(self) -> str:
        return f"groups={self.groups}, edge={self.edge!r}"


@wrap
def slid(x_BHWC: Tensor, groups: list[tuple[int, int, int]], edge: str) -> Tensor:
    """The map with each group of channels displaced."""
    parts = torch.split(x_BHWC, [group[0] for group in groups], dim=-1)
    moved = [
        slide(part, group[1], group[2], edge) for part, group in zip(parts, groups)
    ]
    return torch.cat(moved, dim=-1)


def slide(x_BHWC: Tensor, right: int, down: int, edge: str) -> Tensor:
    """The map displaced as a whole."""
    if edge != "keep" or down == 0:
        y_BHWC = slide_along(x_BHWC, x_BHWC, down, 1, edge)
        return slide_along(y_BHWC, y_BHWC, right, 2, edge)
    # Rows with a source move right as well; at the border they keep the values of the
    # row that they move to, not of the row that they come from.
    height = x_BHWC.shape[1]
    count = min(abs(down), height)
    first, last = x_BHWC[:, : height - count], x_BHWC[:, count:]
    if down > 0:
        rows = [x_BHWC[:, :count], slide_along(first, last, right, 2, edge)]
    else:
        rows = [slide_along(last, first, right, 2, edge), x_BHWC[:, height - count :]]
    return torch.cat(rows, dim=1)


def slide_along(
    x_BHWC: Tensor, kept_BHWC: Tensor, steps: int, dim: int, edge: str
) -> Tensor:
    """The map displaced along one axis; `keep` takes its border from `kept_BHWC`."""
    length = x_BHWC.shape[dim]
    count = abs(steps) % length if edge == "circular" else min(abs(steps), length)
    if count == 0:
        return x_BHWC
    near, far = (0, length - count) if steps > 0 else (length - count, 0)
    moved_BHWC = x_BHWC.narrow(dim, 0 if steps > 0 else count, length - count)
    if edge == "keep":
        border_BHWC = kept_BHWC.narrow(dim, near, count)
    elif edge == "circular":
        border_BHWC = x_BHWC.narrow(dim, far, count)
    elif edge == "zeros":
        border_BHWC = torch.zeros_like(x_BHWC.narrow(dim, near, count))
    else:
        nearest_BHWC = x_BHWC.narrow(dim, 0 if steps > 0 else length - 1, 1)
        border_BHWC = nearest_BHWC.expand_as(x_BHWC.narrow(dim, near, count))
    parts = [border_BHWC, moved_BHWC] if steps > 0 else [moved_BHWC, border_BHWC]
    return torch.cat(parts, dim=dim)
