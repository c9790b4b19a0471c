"""From tables of where entries come from to words: a shift, or what else."""

from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby, product
from typing import get_args

import numpy as np

from s2mlp_dsl.audit.tags import OTHER, ZERO, Table
from s2mlp_dsl.ir.print import displacement
from s2mlp_dsl.ir.program import Edge, ShiftGroup
from s2mlp_dsl.operators import source_of

Move = tuple[int, ...]  # steps along time if there is, height and width
EDGES: tuple[Edge, ...] = get_args(Edge)
MOST_GROUPS = 12  # beyond that, channels that take turns are looked for


@dataclass(frozen=True)
class Group:
    """Consecutive channels that the code treats alike."""

    first: int
    count: int
    what: str

    def __str__(self) -> str:
        last = self.first + self.count - 1
        many = f"channels {self.first}–{last}" if self.count > 1 else f"{self.first}"
        return f"{many}: {self.what}"


@dataclass(frozen=True)
class Judged:
    """`declaration` is the shift as a spec says it, None where it is none."""

    groups: tuple[Group, ...]
    edges: tuple[Edge, ...] = ()
    declaration: str | None = None


def judge(tables: list[Table]) -> Judged:
    """What code does, from its tables on maps of several sizes."""
    channels = tables[0].shape[-1]
    fits = [
        set.intersection(*(_fits(table, channel) for table in tables))
        for channel in range(channels)
    ]
    edges = [
        edge for edge in EDGES if all(any(e == edge for _, e in one) for one in fits)
    ]
    if edges:
        moves = [_nearest(one, edges[0]) for one in fits]
        if any(any(move) for move in moves):
            return Judged(
                _grouped([_said(move) for move in moves]),
                tuple(edges),
                _declaration(moves, edges[0]),
            )
    words = [
        _said(_nearest(one, None)) + _by(one) if one else _otherwise(tables[0], channel)
        for channel, one in enumerate(fits)
    ]
    return Judged(_grouped(words))


def _fits(table: Table, channel: int) -> set[tuple[Move, Edge]]:
    """Every displacement and edge rule that give exactly this channel."""
    sources = table[..., channel]
    if (sources == OTHER).any():
        return set()
    size = table.shape[1:-1]
    places = list(product(*map(range, size)))
    wanted: dict[Move, Move | None] = {}
    for batch in range(table.shape[0]):
        for place in places:
            source = int(sources[(batch, *place)])
            if source == ZERO:
                found: Move | None = None
            else:
                at = np.unravel_index(source, table.shape)
                if at[0] != batch or at[-1] != channel:
                    return set()
                found = tuple(int(one) for one in at[1:-1])
            if wanted.setdefault(place, found) != found:
                return set()
    moves = {
        tuple(p - s for p, s in zip(place, source, strict=True))
        for place, source in wanted.items()
        if source is not None
    }
    return {
        (move, edge)
        for move in moves
        for edge in EDGES
        if all(source_of(p, move, size, edge) == s for p, s in wanted.items())
    }


def _nearest(fits: set[tuple[Move, Edge]], edge: Edge | None) -> Move:
    moves = [move for move, e in fits if edge is None or e == edge]
    return min(moves, key=lambda move: (sum(map(abs, move)), move))


def _by(fits: set[tuple[Move, Edge]]) -> str:
    if not any(_nearest(fits, None)):
        return ""
    return f" ({' or '.join(sorted({edge for _, edge in fits}))})"


def _otherwise(table: Table, channel: int) -> str:
    """Words for a channel that no displacement explains."""
    sources = table[..., channel]
    if (sources == OTHER).any():
        return "computes values that were not in the map"
    if (sources == ZERO).all():
        return "is emptied"
    at = np.unravel_index(np.maximum(sources, 0), table.shape)
    if (at[-1] != channel)[sources != ZERO].any():
        return "reads other channels"
    names = ("time", "row", "column")[-(table.ndim - 2) :]
    for axis, name in enumerate(names, start=1):
        if table.shape[axis] > 1 and not (sources == ZERO).any():
            first = at[axis].min(axis=axis, keepdims=True)
            if (at[axis] == first).all():
                return f"cascades: every {name} is {name} {int(first.flat[0])}"
    return "smears: no one displacement explains it"


def _said(move: Move) -> str:
    return displacement(_group(1, move))


def _group(count: int, move: Move) -> ShiftGroup:
    later, down, right = (0, *move) if len(move) == 2 else move
    return ShiftGroup(channels=count, right=right, down=down, later=later)


def _grouped(words: list[str]) -> tuple[Group, ...]:
    groups, first = [], 0
    for what, same in groupby(words):
        count = len(list(same))
        groups.append(Group(first, count, what))
        first += count
    return tuple(groups)


def _declaration(moves: list[Move], edge: Edge) -> str:
    channels = len(moves)
    runs = [(move, len(list(same))) for move, same in groupby(moves)]
    lines = ["shift found {", f"    edge {edge}"]
    turns = next(
        (
            n
            for n in range(2, channels // 2 + 1)
            if channels % n == 0 and moves == moves[:n] * (channels // n)
        ),
        None,
    )
    if len(runs) > MOST_GROUPS and turns:
        lines.append("    interleave")
        runs = [(move, channels // turns) for move in moves[:turns]]
    for move, count in runs:
        lines.append(f"    {Fraction(count, channels)} {_said(move)}")
    return "\n".join([*lines, "}"])
