"""The spatial shift."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.fx import wrap

from s2mlp_dsl.nn.edges import bring_inside


class SpatialShift(nn.Module):
    """Moves each channel group of a map by its own displacement.

    Y[p, c] = X[p − d, c] for every channel c of the group that moves by d; all
    groups read X, never Y. `groups` are (channels, right, down), and for a map
    [B, T, H, W, C] (channels, right, down, later). A position p − d outside the map is
    read by the `edge` rule: keep reads X[p, c], zeros reads 0, and replicate,
    circular and reflect read inside the map, each axis by itself.
    """

    groups: list[list[int]]

    def __init__(self, groups: Sequence[Sequence[int]], edge: str) -> None:
        super().__init__()
        self.groups, self.edge = [list(group) for group in groups], edge

    def forward(self, x_BHWC: Tensor) -> Tensor:
        return shifted(x_BHWC, self.groups, self.edge)

    def extra_repr(self) -> str:
        return f"groups={self.groups}, edge={self.edge!r}"


class InterleavedShift(SpatialShift):
    """A spatial shift whose first `turns` groups are interleaved.

    Of their channels, channel c belongs to group c mod turns (Wu et al. 2018).
    """

    def __init__(
        self, groups: Sequence[tuple[int, ...]], edge: str, turns: int
    ) -> None:
        super().__init__(groups, edge)
        self.turns = turns

    def forward(self, x_BHWC: Tensor) -> Tensor:
        return interleaved(x_BHWC, self.groups, self.edge, self.turns)

    def extra_repr(self) -> str:
        return f"groups={self.groups}, edge={self.edge!r}, turns={self.turns}"


@wrap
def shifted(x_BHWC: Tensor, groups: list[list[int]], edge: str) -> Tensor:
    """The map with each group of channels displaced."""
    parts = torch.split(x_BHWC, [group[0] for group in groups], dim=-1)
    return torch.cat(move_parts(list(parts), groups, edge), dim=-1)


@wrap
def interleaved(
    x_BHWC: Tensor, groups: list[list[int]], edge: str, turns: int
) -> Tensor:
    """The same where the first groups take turns."""
    sizes = [group[0] for group in groups]
    mixed, shared = sum(sizes[:turns]), min(sizes[:turns])
    parts = [x_BHWC[..., number:mixed:turns] for number in range(turns)]
    parts = parts + list(torch.split(x_BHWC[..., mixed:], sizes[turns:], dim=-1))
    parts = move_parts(parts, groups, edge)
    # In turn as far as all groups go; the first ones may have one channel more.
    woven = torch.stack([part[..., :shared] for part in parts[:turns]], dim=-1)
    rest = [part[..., shared:] for part in parts[:turns]]
    return torch.cat([woven.flatten(-2)] + rest + parts[turns:], dim=-1)


def move_parts(parts: list[Tensor], groups: list[list[int]], edge: str) -> list[Tensor]:
    """The part of each group, displaced."""
    return [move(part, group[1:], edge) for part, group in zip(parts, groups)]


def move(x_XHWC: Tensor, steps: list[int], edge: str) -> Tensor:
    """The map displaced as a whole, by gathering: no entry is written twice.

    `steps` are along the width, the height and, if given, the time.
    """
    y_XHWC = x_XHWC
    is_inside: Tensor | None = None
    for number, step in enumerate(steps):
        if step != 0:
            axis = -2 - number
            length = x_XHWC.shape[axis]
            source = torch.arange(length, device=x_XHWC.device) - step
            y_XHWC = y_XHWC.index_select(axis, bring_inside(source, length, edge))
            has_source = ((source >= 0) & (source < length)).view(
                [-1] + [1] * (1 + number)
            )
            is_inside = has_source if is_inside is None else is_inside & has_source
    if is_inside is None or edge not in ("keep", "zeros"):
        return y_XHWC
    outside_XHWC = x_XHWC if edge == "keep" else torch.zeros_like(x_XHWC)
    return torch.where(is_inside, y_XHWC, outside_XHWC)
