"""How much work relations are, by arithmetic before any of it is done.

The unit is a row, a set of positions, read and joined.
"""

from itertools import groupby

from s2mlp_dsl.analysis.relation import Relation
from s2mlp_dsl.ir.shape import Shape, positions
from s2mlp_dsl.operators import Grid, Table
from s2mlp_dsl.operators import ReceptiveField as OperatorReceptiveField

MOST_WORK = 6_000_000  # rows, everything together that shares a `Work`
ROWS_PER_PART = 64  # read in the time that a channel group takes, however few it has
_LINE = 16  # rows read in the time in which a line is begun, however short
LISTING = 4  # rows read in the time in which an operator lists one


class TooLarge(Exception):
    """The relation would need more memory or time than it is worth."""


class Work:
    """Counts rows read and joined, by all analyses that share it."""

    def __init__(self) -> None:
        self._rows = 0

    def spend(self, rows: int) -> None:
        """Raise `TooLarge` instead where that is more than is left."""
        if self._rows + rows > MOST_WORK:
            raise TooLarge
        self._rows += rows


def parts_made(reads: OperatorReceptiveField, before: Relation, result: Shape) -> int:
    """How many channel groups get rows of their own, at most."""
    if reads.moves is not None:
        if len(before.parts) == 1:
            return reads.moves.distinct
        if not reads.moves.keeps_channels:
            return result.channels
        return min(reads.moves.distinct * len(before.parts), result.channels)
    return sum(
        part.channels is None or bool(part.channels & channels)
        for part in reads.parts
        if not isinstance(part.reads, str)
        for channels, _ in before.parts
    )


def rows_of(reads: OperatorReceptiveField, source: Shape) -> int:
    """How many rows an operator reads, all its parts and positions together."""
    count = positions(source)
    return sum(_rows_read(part.reads, count) for part in reads.parts)


def listed(reads: OperatorReceptiveField) -> int:
    """How many entries the tables have."""
    tables = (one.reads for one in reads.parts if isinstance(one.reads, tuple))
    return sum(map(len, tables))


def _rows_read(reads: str | Table | Grid, count: int) -> int:
    match reads:
        case str():
            return count
        case Grid(frames, height, _, rows, columns):
            across = height * (_LINE + sum(map(len, columns)))
            down = len(rows) * _LINE + len(columns) * sum(map(len, rows))
            return frames * (across + down)
        case _:
            # What is listed once for several positions is joined once.
            return sum(len(next(same)) for _, same in groupby(reads, id))
