"""The spatial shift as one gather with computed indices, forward and backward."""

from collections.abc import Sequence
from math import gcd
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.fx import wrap

from s2mlp_dsl.nn.edges import bring_inside


class GatheredShift(nn.Module):
    """Moves each channel of a map by the displacement of its group.

    Y[p, c] = X[p − d, c] for every channel c of the group that moves by d; all
    groups read X, never Y. `groups` are (channels, right, down); the first
    `turns` of them are interleaved. A position p − d outside the map is
    read by the `edge` rule: keep reads X[p, c], zeros reads 0, and replicate,
    circular and reflect read inside the map, each axis by itself.

    Every entry is one read at an index that is computed from its own position, so that
    a compiler fuses it with the pointwise operations before it.
    """

    def __init__(
        self, groups: Sequence[tuple[int, int, int]], edge: str, turns: int = 0
    ) -> None:
        super().__init__()
        self.groups, self.edge, self.turns = tuple(groups), edge, turns

    def forward(self, x_BHWC: Tensor) -> Tensor:
        return gather(x_BHWC, self.groups, self.edge, self.turns)

    def extra_repr(self) -> str:
        turns = f", turns={self.turns}" if self.turns else ""
        return f"groups={self.groups}, edge={self.edge!r}{turns}"


@wrap
def gather(
    x_BHWC: Tensor, groups: Sequence[tuple[int, int, int]], edge: str, turns: int
) -> Tensor:
    """The map with each group of channels displaced, and its gradient gathered."""
    if edge in ("replicate", "reflect"):
        # Several entries may read the same one; autograd adds up their gradients.
        return gathered(x_BHWC, groups, edge, turns)
    y_BHWC: Tensor = Gathering.apply(x_BHWC, groups, edge, turns)
    return y_BHWC


class Gathering(Function):
    """A shift with the edge rule keep, zeros or circular and a gathered gradient.

    Autograd would add the gradient up entry by entry. But the readers of an entry can
    be computed: the entry d further on and, with keep, the entry itself at the border.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(
        x_BHWC: Tensor, groups: Sequence[tuple[int, int, int]], edge: str, turns: int
    ) -> Tensor:
        return gathered(x_BHWC, groups, edge, turns)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        _, ctx.groups, ctx.edge, ctx.turns = inputs

    @staticmethod
    def backward(ctx: Any, y_BHWC: Tensor) -> tuple[Tensor, None, None, None]:
        back = [(channels, -right, -down) for channels, right, down in ctx.groups]
        edge = "circular" if ctx.edge == "circular" else "zeros"
        x_BHWC = gathered(y_BHWC, back, edge, ctx.turns)
        if ctx.edge == "keep":
            y_BPRL = in_runs(y_BHWC, ctx.groups, ctx.turns)
            _, inside_PR1 = sources(y_BHWC, ctx.groups, "keep", ctx.turns)
            kept_BPRL = torch.where(inside_PR1, 0, y_BPRL)
            x_BHWC = x_BHWC + kept_BPRL.reshape(y_BHWC.shape)
        return x_BHWC, None, None, None


def gathered(
    x_BHWC: Tensor, groups: Sequence[tuple[int, int, int]], edge: str, turns: int
) -> Tensor:
    """The map with each group of channels displaced."""
    x_BPRL = in_runs(x_BHWC, groups, turns)
    source_PR, inside_PR1 = sources(x_BHWC, groups, edge, turns)
    y_BPRL = x_BPRL[:, source_PR, torch.arange(x_BPRL.shape[2], device=x_BHWC.device)]
    if edge == "zeros":
        y_BPRL = torch.where(inside_PR1, y_BPRL, 0)
    return y_BPRL.reshape(x_BHWC.shape)


def in_runs(
    x_BHWC: Tensor, groups: Sequence[tuple[int, int, int]], turns: int
) -> Tensor:
    """Channels as R runs of equal length L that move together: [B, P, R, L].

    P is H · W. A run is read as a whole, in wide loads.
    """
    length = 1 if turns else gcd(*[group[0] for group in groups])
    return torch.unflatten(x_BHWC.flatten(1, 2), 2, (-1, length))


def sources(
    x_BHWC: Tensor, groups: Sequence[tuple[int, int, int]], edge: str, turns: int
) -> tuple[Tensor, Tensor]:
    """For each position and run: the position it reads, and whether p − d is inside.

    [P, R] and [P, R, 1]. Both are computed, not looked up: a table would have to be
    read, and would hide from a compiler that runs are contiguous.
    """
    _, height, width, channels = x_BHWC.shape
    length = 1 if turns else gcd(*[group[0] for group in groups])
    device, runs = x_BHWC.device, channels // length
    # With int64, torch's partitioner would save each comparison for the backward pass,
    # as it does with whatever is much smaller than its input, in kernels of their own.
    place_P = torch.arange(height * width, dtype=torch.int32, device=device)
    place_P1 = place_P.view(-1, 1)
    row_P1, column_P1 = place_P1 // width, place_P1 % width
    run_R = torch.arange(runs, dtype=torch.int32, device=device)
    source_PR, inside_PR = place_P1.expand(-1, runs), run_R >= 0
    end = channels
    # The last group first: each of the others then takes the runs before its end.
    for number, (size, right, down) in reversed(list(enumerate(groups))):
        if number < turns:
            belongs_R = (run_R % turns == number) & (run_R < end)
        else:
            belongs_R = run_R * length < end
            end = end - size
        if edge in ("keep", "zeros"):
            has_column_P1 = within(column_P1, right, width)
            is_inside_P1 = has_column_P1 & within(row_P1, down, height)
            moved_P1 = place_P1 - (down * width + right)
            found_P1 = torch.where(is_inside_P1, moved_P1, place_P1)
            inside_PR = torch.where(belongs_R, is_inside_P1, inside_PR)
        else:
            found_P1 = width * bring_inside(row_P1 - down, height, edge)
            found_P1 = found_P1 + bring_inside(column_P1 - right, width, edge)
        source_PR = torch.where(belongs_R, found_P1, source_PR)
    # All are inside already; the clamp tells the compiler.
    return source_PR.clamp(0, height * width - 1), inside_PR.unsqueeze(-1)


def within(at: Tensor, step: int, length: int) -> Tensor:
    """Whether the value at `at` comes from inside the axis."""
    return at >= step if step > 0 else at < length + step
