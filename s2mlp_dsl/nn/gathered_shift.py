"""The spatial shift as one gather with computed indices."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from s2mlp_dsl.nn.edges import bring_inside


class GatheredShift(nn.Module):
    """Moves each channel of a map by the displacement of its group.

    Y[p, c] = X[p − d, c] for every channel c of the group that moves by d; all
    groups read X, never Y. `groups` are (channels, right, down); the first
    `turns` of them take turns over their channels. Where p − d leaves the map,
    `edge` decides: keep takes X[p, c], zero takes 0, clamp, wrap and reflect
    read inside, each axis for itself.

    Every entry is one read at an index computed from its own place: a compiler
    makes one pointwise kernel of it and of what stands before it.
    """

    right_C: Tensor
    down_C: Tensor

    def __init__(
        self, groups: Sequence[tuple[int, int, int]], edge: str, turns: int = 0
    ) -> None:
        super().__init__()
        self.groups, self.edge, self.turns = tuple(groups), edge, turns
        most = max((group[0] for group in self.groups[:turns]), default=0)
        woven = [g for n in range(most) for g in self.groups[:turns] if n < g[0]]
        plain = [g for g in self.groups[turns:] for _ in range(g[0])]
        right_C = torch.tensor([group[1] for group in woven + plain])
        down_C = torch.tensor([group[2] for group in woven + plain])
        self.register_buffer("right_C", right_C, persistent=False)
        self.register_buffer("down_C", down_C, persistent=False)

    def forward(self, x_BHWC: Tensor) -> Tensor:
        _, height, width, channels = x_BHWC.shape
        device = x_BHWC.device
        rows_H1C = torch.arange(height, device=device).view(-1, 1, 1) - self.down_C
        columns_WC = torch.arange(width, device=device).view(-1, 1) - self.right_C
        y_BHWC = x_BHWC[
            :,
            bring_inside(rows_H1C, height, self.edge),
            bring_inside(columns_WC, width, self.edge),
            torch.arange(channels, device=device),
        ]
        if self.edge in ("keep", "zero"):
            has_row = (rows_H1C >= 0) & (rows_H1C < height)
            has_column = (columns_WC >= 0) & (columns_WC < width)
            outside = x_BHWC if self.edge == "keep" else torch.zeros_like(x_BHWC)
            y_BHWC = torch.where(has_row & has_column, y_BHWC, outside)
        return y_BHWC

    def extra_repr(self) -> str:
        turns = f", turns={self.turns}" if self.turns else ""
        return f"groups={self.groups}, edge={self.edge!r}{turns}"
