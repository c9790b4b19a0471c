"""The spatial shift."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from s2mlp_dsl.nn.edges import bring_inside


class SpatialShift(nn.Module):
    """Moves each channel group of a map by its own displacement.

    Y[p, c] = X[p − d, c] for every channel c of the group that moves by d; all
    groups read X, never Y. `groups` are (channels, right, down). Where p − d
    leaves the map, `edge` decides: keep takes X[p, c], zero takes 0, clamp,
    wrap and reflect read inside, each axis for itself.
    """

    def __init__(self, groups: Sequence[tuple[int, int, int]], edge: str) -> None:
        super().__init__()
        self.groups, self.edge = tuple(groups), edge

    def forward(self, x_BHWC: Tensor) -> Tensor:
        parts = torch.split(x_BHWC, [group[0] for group in self.groups], dim=-1)
        moved = [
            move(part, right, down, self.edge)
            for part, (_, right, down) in zip(parts, self.groups, strict=True)
        ]
        return torch.cat(moved, dim=-1)

    def extra_repr(self) -> str:
        return f"groups={self.groups}, edge={self.edge!r}"


class InterleavedShift(SpatialShift):
    """A spatial shift whose first `turns` groups take turns over their channels.

    Of their channels, channel c belongs to group c mod turns (Wu et al. 2018).
    """

    order_C: Tensor
    back_C: Tensor

    def __init__(
        self, groups: Sequence[tuple[int, int, int]], edge: str, turns: int
    ) -> None:
        super().__init__(groups, edge)
        mixed = sum(channels for channels, _, _ in self.groups[:turns])
        rest = sum(channels for channels, _, _ in self.groups[turns:])
        order = [c for number in range(turns) for c in range(number, mixed, turns)]
        order_C = torch.tensor(order + list(range(mixed, mixed + rest)))
        self.register_buffer("order_C", order_C, persistent=False)
        self.register_buffer("back_C", order_C.argsort(), persistent=False)

    def forward(self, x_BHWC: Tensor) -> Tensor:
        y_BHWC = super().forward(x_BHWC.index_select(-1, self.order_C))
        return y_BHWC.index_select(-1, self.back_C)


def move(x_BHWC: Tensor, right: int, down: int, edge: str) -> Tensor:
    """The map displaced as a whole, by gathering: no entry is written twice."""
    _, height, width, _ = x_BHWC.shape
    rows = torch.arange(height, device=x_BHWC.device) - down
    columns = torch.arange(width, device=x_BHWC.device) - right
    y = x_BHWC
    if down:
        y = y.index_select(1, bring_inside(rows, height, edge))
    if right:
        y = y.index_select(2, bring_inside(columns, width, edge))
    if edge in ("keep", "zero") and (right or down):
        has_row = (rows >= 0) & (rows < height)
        has_column = (columns >= 0) & (columns < width)
        inside = has_row.view(-1, 1, 1) & has_column.view(-1, 1)
        outside = x_BHWC if edge == "keep" else torch.zeros_like(x_BHWC)
        y = torch.where(inside, y, outside)
    return y
