"""The spatial shift against the law, in plain Python.

Law 1: let X be the map before and Y after, and let group g have displacement d.
Then Y[p, c] = X[p − d, c] for every channel c of g; all groups read X, never Y.

Law 2: where p − d leaves the map, clamp, wrap and reflect act per axis (nearest
inside; circular; mirrored without the border, period 2(n−1), and 0 when n = 1);
keep takes X[p, c] and zero takes 0 as soon as any axis leaves.
"""

from dataclasses import dataclass

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from s2mlp_dsl.ir.program import Shift, ShiftGroup
from s2mlp_dsl.ir.shape import Map
from s2mlp_dsl.nn.shift import InterleavedShift, SpatialShift
from s2mlp_dsl.operators import find

EDGES = ("keep", "replicate", "zeros", "circular", "reflect")
Group = tuple[int, int, int]  # channels, right, down
Rows = list[list[list[float]]]  # [row][column][channel]


@dataclass(frozen=True)
class Move:
    """A shift at work on a map; `turns` groups are interleaved."""

    height: int
    width: int
    groups: tuple[Group, ...]
    edge: str
    turns: int = 0

    @property
    def channels(self) -> int:
        return sum(channels for channels, _, _ in self.groups)

    @property
    def size(self) -> tuple[int, int, int]:
        return self.height, self.width, self.channels

    def module(self) -> nn.Module:
        if self.turns:
            return InterleavedShift(self.groups, self.edge, self.turns)
        return SpatialShift(self.groups, self.edge)

    def tags(self, batch: int = 2) -> Tensor:
        """A map in which no two entries are equal, and none is zero."""
        size = (batch, *self.size)
        count = torch.Size(size).numel()
        return torch.arange(1.0, count + 1, dtype=torch.float64).reshape(size)


def group_of(channel: int, move: Move) -> Group:
    """The group a channel belongs to, by counting."""
    woven = sum(channels for channels, _, _ in move.groups[: move.turns])
    if channel < woven:
        return move.groups[channel % move.turns]
    past = woven
    for group in move.groups[move.turns :]:
        past += group[0]
        if channel < past:
            return group
    raise AssertionError


def index_by(edge: str, index: int, length: int) -> int | None:
    """What an index outside stands for, walked step by step."""
    if edge in ("keep", "zeros"):
        return index if 0 <= index < length else None
    if edge == "replicate":
        return 0 if index < 0 else length - 1 if index >= length else index
    if edge == "circular":
        while index < 0:
            index += length
        while index >= length:
            index -= length
        return index
    while not 0 <= index < length:  # reflect: bounce off the border and go on
        if length == 1:
            return 0
        index = -index if index < 0 else 2 * (length - 1) - index
    return index


def by_the_law(x: Rows, move: Move) -> Rows:
    """Y from X."""
    y: Rows = []
    for row in range(move.height):
        y.append([])
        for column in range(move.width):
            y[row].append([])
            for channel in range(move.channels):
                _, right, down = group_of(channel, move)
                from_row = index_by(move.edge, row - down, move.height)
                from_column = index_by(move.edge, column - right, move.width)
                if from_row is not None and from_column is not None:
                    value = x[from_row][from_column][channel]
                else:
                    value = x[row][column][channel] if move.edge == "keep" else 0
                y[row][column].append(value)
    return y


@st.composite
def moves(draw: st.DrawFn, longest: int = 6, furthest: int = 14) -> Move:
    steps = st.integers(-furthest, furthest)
    groups = draw(
        st.lists(st.tuples(st.integers(1, 4), steps, steps), min_size=1, max_size=5)
    )
    turns = draw(st.integers(0, len(groups)))
    # Interleaved groups are equal, or the first ones have one channel more.
    equal, more = draw(st.integers(1, 3)), draw(st.integers(0, max(turns - 1, 0)))
    woven = [(equal + (n < more), *groups[n][1:]) for n in range(turns)]
    return Move(
        draw(st.integers(1, longest)),
        draw(st.integers(1, longest)),
        (*woven, *groups[turns:]),
        draw(st.sampled_from(EDGES)),
        turns,
    )


def expected(x: Tensor, move: Move) -> Tensor:
    return torch.tensor([by_the_law(one, move) for one in x.tolist()], dtype=x.dtype)


@given(moves())
@settings(max_examples=300, deadline=None)
def test_values(move: Move) -> None:
    x = move.tags()
    assert torch.equal(move.module()(x), expected(x, move))


@given(moves())
@settings(max_examples=100, deadline=None)
def test_gradient_returns_the_way_it_came(move: Move) -> None:
    """⟨shift(x), g⟩ = ⟨x, gradient⟩ for all x: exact, with integers."""
    x = move.tags(batch=1).requires_grad_()
    y = move.module()(x)
    back = move.tags(batch=1).flip(0, 1, 2, 3)
    (gradient,) = torch.autograd.grad(y, x, back)
    wanted = torch.zeros_like(x).flatten()
    source = expected(torch.arange(1.0, x.numel() + 1).reshape(x.shape), move)
    for at, value in zip(source.flatten().long(), back.flatten(), strict=True):
        if at:  # 0 is what `zeros` puts where nothing came from
            wanted[at - 1] += value
    assert torch.equal(gradient.flatten(), wanted)


@given(moves(longest=3))
@settings(max_examples=25, deadline=None)
def test_gradcheck(move: Move) -> None:
    x = torch.randn(1, *move.size, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(move.module(), (x,))
    assert torch.autograd.gradgradcheck(move.module(), (x,))


@given(moves())
@settings(max_examples=100, deadline=None)
def test_input_stays_and_layout_does_not_matter(move: Move) -> None:
    x, module = move.tags(), move.module()
    wanted = expected(x, move)
    padded = torch.zeros(2, move.height + 1, move.width + 2, move.channels + 1).double()
    padded[:, 1:, 1:-1, :-1] = x
    layouts = {
        "channels first": x.movedim(-1, 1).contiguous().movedim(1, -1),
        "columns first": x.transpose(1, 2).contiguous().transpose(1, 2),
        "a window": padded[:, 1:, 1:-1, :-1],
        "expanded": x[:1].expand(3, -1, -1, -1),
    }
    for name, laid_out in layouts.items():
        before = laid_out.clone()
        y = module(laid_out)
        assert torch.equal(laid_out, before), name
        rows = wanted[:1].expand(3, -1, -1, -1) if name == "expanded" else wanted
        assert torch.equal(y, rows), name


@given(moves())
@settings(max_examples=100, deadline=None)
def test_reference_computes_the_same(move: Move) -> None:
    x, operator = move.tags(), find("shift")
    assert operator is not None
    _, height, width, channels = x.shape
    size = Map(height=height, width=width, channels=channels)
    found = operator(size, {"by": _shift(move)}).reference(x.numpy(), {})
    assert np.array_equal(found, expected(x, move).numpy())


@given(moves(), st.sampled_from([float("nan"), float("inf")]))
@settings(max_examples=50, deadline=None)
def test_a_bad_value_stays_one_value(move: Move, bad: float) -> None:
    """It goes where its channel goes; neighbours are not touched."""
    x = move.tags(batch=1)
    x[0, 0, -1, 0] = bad
    y, wanted = move.module()(x), expected(x, move)
    assert torch.equal(y.isfinite(), wanted.isfinite())
    assert torch.equal(y.nan_to_num(posinf=0), wanted.nan_to_num(posinf=0))


@given(moves(), st.sampled_from([torch.float32, torch.bfloat16, torch.int64]))
@settings(max_examples=50, deadline=None)
def test_every_kind_of_number(move: Move, dtype: torch.dtype) -> None:
    x = move.tags(batch=1).to(dtype)
    y = move.module()(x)
    assert y.dtype == dtype
    assert torch.equal(y, expected(x, move))


def test_the_paper() -> None:
    """Equation 3 on a row of four: one step right keeps the first entry."""
    x = torch.tensor([1.0, 2.0, 3.0, 4.0]).reshape(1, 1, 4, 1)
    after = {
        edge: SpatialShift(((1, 1, 0),), edge)(x).flatten().tolist() for edge in EDGES
    }
    assert after == {
        "keep": [1, 1, 2, 3],
        "replicate": [1, 1, 2, 3],
        "zeros": [0, 1, 2, 3],
        "circular": [4, 1, 2, 3],
        "reflect": [2, 1, 2, 3],
    }


def test_keep_and_clamp_part_at_two_steps() -> None:
    x = torch.tensor([1.0, 2.0, 3.0, 4.0]).reshape(1, 1, 4, 1)
    keep = SpatialShift(((1, 2, 0),), "keep")(x).flatten().tolist()
    clamp = SpatialShift(((1, 2, 0),), "replicate")(x).flatten().tolist()
    assert (keep, clamp) == ([1, 2, 1, 2], [1, 1, 1, 2])


def test_a_diagonal_keeps_whole_entries() -> None:
    x = torch.arange(1.0, 5).reshape(1, 2, 2, 1)
    keep = SpatialShift(((1, 1, 1),), "keep")(x).flatten().tolist()
    clamp = SpatialShift(((1, 1, 1),), "replicate")(x).flatten().tolist()
    assert (keep, clamp) == ([1, 2, 3, 1], [1, 1, 1, 1])


def _shift(move: Move) -> Shift:
    groups = tuple(
        ShiftGroup(channels=channels, right=right, down=down)
        for channels, right, down in move.groups
    )
    return Shift(name="tried", edge=move.edge, groups=groups, interleaved=move.turns)
