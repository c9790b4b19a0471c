"""Relations: what each position and channel of a map depends on.

A relation is kept per channel group until an operator mixes channels. A set of
positions is one integer with a bit per position.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import or_
from typing import Any

from s2mlp_dsl.ir.program import Op
from s2mlp_dsl.ir.shape import Shape, positions
from s2mlp_dsl.operators.receptive_field import Grid, Part, Table
from s2mlp_dsl.operators.receptive_field import ReceptiveField as OperatorReceptiveField


class Rows(tuple[int, ...]):
    """For each position, the set of source positions.

    Rows are looked up among few others: what a few positions see tells them apart,
    and to hash what all of them see takes longer than to compute it.
    """

    __slots__ = ()

    def __hash__(self) -> int:
        return hash(tuple(self[:: len(self) // 8 + 1]))


class Identity(Rows):
    """Each position sees itself; not written out, for of an image that is gigabits."""

    length: int

    def __new__(cls, length: int) -> "Identity":
        made = super().__new__(cls)
        made.length = length
        return made

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[int]:
        return (1 << place for place in range(self.length))

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return tuple(1 << place for place in range(self.length)[at])
        return 1 << range(self.length)[at]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Identity):
            return self.length == other.length
        return isinstance(other, Rows) and tuple(self) == tuple(other)

    __hash__ = Rows.__hash__


@dataclass(frozen=True, slots=True)
class Relation:
    """Channel groups (bit masks, disjoint, together all) with their rows."""

    parts: tuple[tuple[int, Rows], ...]

    @property
    def rows(self) -> Rows:
        """For each position, what any of its channels depends on."""
        first, *others = (rows for _, rows in self.parts)
        for rows in others:
            first = Rows(map(or_, first, rows))
        return first

    @property
    def most(self) -> int:
        """The size of the largest set: the most that a position depends on."""
        return max(row.bit_count() for row in self.rows)


def identity(shape: Shape) -> Relation:
    everything = (1 << shape.channels) - 1
    return Relation(((everything, Identity(positions(shape))),))


def apply(
    op: Op, receptive_field: OperatorReceptiveField, before: Relation
) -> Relation:
    """The relation after an operator, given the one before it."""
    assert op.source is not None
    if receptive_field.moves is not None and is_uniform(before):
        seen = Rows(before.parts[0][1][:1] * positions(op.result))
        return Relation((((1 << op.result.channels) - 1, seen),))
    if receptive_field.moves is not None:
        return _moved(before, receptive_field.moves(), op.source, op.result)
    if receptive_field.listed:
        return _listed(before, receptive_field, op.result)
    everything = (1 << op.source.channels) - 1
    after: dict[Rows, int] = {}
    for part in receptive_field.parts:
        wanted = everything if part.channels is None else part.channels
        for channels, rows in before.parts:
            shared = channels & wanted
            if shared:
                read = _read(part, rows)
                after[read] = after.get(read, 0) | shared
    relation = Relation(tuple((mask, rows) for rows, mask in after.items()))
    if receptive_field.mixes:
        return _mixed(relation, receptive_field.groups, op.source, op.result)
    width = op.source.channels // receptive_field.slices
    first, *others = (
        slice_of(relation, number * width, width)
        for number in range(receptive_field.slices)
    )
    for other in others:
        first = union(first, other)
    return first


def _listed(
    before: Relation, receptive_field: OperatorReceptiveField, result: Shape
) -> Relation:
    """The relation after an operator that lists what each channel depends on."""
    parts: dict[int, Rows] = {
        (1 << result.channels) - 1: Rows((0,) * positions(result))
    }
    for part in receptive_field.parts:
        assert part.channels is not None and part.leaving is not None
        seen = Relation(
            tuple(
                (mask & part.channels, _read(part, rows))
                for mask, rows in before.parts
                if mask & part.channels
            )
        ).rows
        for mask, rows in list(parts.items()):
            if mask & part.leaving:
                added = Rows(map(or_, rows, seen))
                parts[mask & part.leaving] = added
                if mask & ~part.leaving:
                    parts[mask & ~part.leaving] = rows
                    del parts[mask]
    after: dict[Rows, int] = {}
    for mask, rows in parts.items():
        after[rows] = after.get(rows, 0) | mask
    return Relation(tuple((mask, rows) for rows, mask in after.items()))


def _mixed(relation: Relation, groups: int, source: Shape, result: Shape) -> Relation:
    """The relation after each group of channels has been mixed."""
    before, width = source.channels // groups, result.channels // groups
    after: dict[Rows, int] = {}
    for number in range(groups):
        rows = slice_of(relation, number * before, before).rows
        after[rows] = after.get(rows, 0) | ((1 << width) - 1) << number * width
    return Relation(tuple((mask, rows) for rows, mask in after.items()))


def is_uniform(relation: Relation) -> bool:
    """Whether every position and channel sees the same."""
    first, *others = relation.parts[0][1]
    return len(relation.parts) == 1 and all(one == first for one in others)


def slice_of(relation: Relation, start: int, width: int) -> Relation:
    """The relation of some consecutive channels, counted from 0 again."""
    kept = (1 << width) - 1
    parts = ((mask >> start & kept, rows) for mask, rows in relation.parts)
    return Relation(tuple((mask, rows) for mask, rows in parts if mask))


def side_by_side(relations: Sequence[Relation]) -> Relation:
    """The relation of the channels of all, one behind the other."""
    after: dict[Rows, int] = {}
    start = 0
    for relation in relations:
        end = start
        for mask, rows in relation.parts:
            after[rows] = after.get(rows, 0) | mask << start
            end = max(end, start + mask.bit_length())
        start = end
    return Relation(tuple((mask, rows) for rows, mask in after.items()))


def _moved(
    before: Relation, moves: Sequence[int], source: Shape, result: Shape
) -> Relation:
    """The relation after entries have been moved, each by itself."""
    width = source.channels
    after: dict[Rows, int] = {}
    if len(before.parts) == 1:
        # Channels do not differ, so those that come from the same positions are one.
        ((_, seen_so_far),) = before.parts
        rows = Rows(seen_so_far)  # each written out once, however often it is moved
        places = [entry // width for entry in moves]
        columns: dict[tuple[int, ...], int] = {}
        for channel in range(result.channels):
            column = tuple(places[channel :: result.channels])
            columns[column] = columns.get(column, 0) | 1 << channel
        for column, mask in columns.items():
            seen = Rows(map(rows.__getitem__, column))
            after[seen] = after.get(seen, 0) | mask
    else:
        of_channel: list[Rows] = [Rows()] * width
        for mask, rows in before.parts:
            for channel in range(width):
                if mask >> channel & 1:
                    of_channel[channel] = rows
        every = [of_channel[entry % width][entry // width] for entry in moves]
        for channel in range(result.channels):
            seen = Rows(every[channel :: result.channels])
            after[seen] = after.get(seen, 0) | 1 << channel
    return Relation(tuple((mask, rows) for rows, mask in after.items()))


def union(one: Relation, other: Relation) -> Relation:
    """What a sum of two maps depends on, channel by channel."""
    after: dict[Rows, int] = {}
    for mask_one, rows_one in one.parts:
        for mask_other, rows_other in other.parts:
            shared = mask_one & mask_other
            if shared:
                rows = Rows(map(or_, rows_one, rows_other))
                after[rows] = after.get(rows, 0) | shared
    return Relation(tuple((mask, rows) for rows, mask in after.items()))


def _read(part: Part, rows: Rows) -> Rows:
    if part.reads == "here":
        return rows
    if isinstance(part.reads, Grid):
        return _read_grid(part.reads, rows)
    if part.reads == "all":
        everything = 0
        for row in rows:
            everything |= row
        return Rows((everything,) * len(rows))
    return Rows(_joined(rows, part.reads))


def _joined(rows: Sequence[int], table: Table) -> list[int]:
    """For each entry of the table, what the rows it lists see together."""
    read = []
    for sources in table:
        if len(sources) == 1:
            read.append(rows[sources[0]])
            continue
        seen = 0
        for source in sources:
            seen |= rows[source]
        read.append(seen)
    return read


def _read_grid(grid: Grid, rows: Rows) -> Rows:
    """Across first, then down: k + k rows are joined, and not k · k."""
    last = {y: at for at, sources in enumerate(grid.rows) for y in sources}
    read: list[int] = []
    for frame in range(grid.frames):
        lines: dict[int, list[int]] = {}
        for at, sources in enumerate(grid.rows):
            seen = [0] * len(grid.columns)
            for y in sources:
                if y not in lines:
                    start = (frame * grid.height + y) * grid.width
                    lines[y] = _joined(rows[start : start + grid.width], grid.columns)
                seen = list(map(or_, seen, lines[y]))
                if last[y] == at:
                    del lines[y]
            read += seen
    return Rows(read)
