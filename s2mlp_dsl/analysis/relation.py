"""Relations: what each position and channel of a map depends on.

A relation has a row per position for each channel group, until an operator mixes
channels. A row is a set of positions: an integer with a bit for each. What depends on
no position is a constant. Where it matters which constants are 0 (0 times anything
is 0), those that are not have the bit after those of the positions.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import or_
from typing import Any

from s2mlp_dsl.ir.program import Op
from s2mlp_dsl.ir.shape import Shape, positions
from s2mlp_dsl.operators import Grid, Moves, Part, Table, applied
from s2mlp_dsl.operators import ReceptiveField as OperatorReceptiveField


class Rows(tuple[int, ...]):
    """For each position, the set of positions that it depends on.

    They are looked up among few others, so a few positions tell them apart; hashing all
    of them takes longer than computing them.
    """

    __slots__ = ()

    def __hash__(self) -> int:
        sample = self[:: len(self) // 8 + 1]
        # Python hashes 2 ** p and 2 ** (p + 61) alike, so lengths are part of it.
        return hash((tuple(sample), tuple(map(int.bit_length, sample))))


class Identity(Rows):
    """Each position depends on itself; never written out, which may be gigabits."""

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


def _grouped(parts: Iterable[tuple[int, Rows]]) -> Relation:
    """The relation of these channels, those with equal rows in one group."""
    groups: dict[Rows, int] = {}
    for channels, rows in parts:
        groups[rows] = groups.get(rows, 0) | channels
    return Relation(tuple((channels, rows) for rows, channels in groups.items()))


def identity(shape: Shape) -> Relation:
    everything = (1 << shape.channels) - 1
    return Relation(((everything, Identity(positions(shape))),))


def apply(
    op: Op,
    receptive_field: OperatorReceptiveField,
    before: Relation,
    constant: int | None = None,
) -> Relation:
    """The relation after an operator, given the one before it.

    `constant` is the bit of constants other than 0, None where they do not matter.
    """
    after = _applied(op, receptive_field, before, constant is not None)
    if constant is None:
        return after
    content = receptive_field.content
    if receptive_field.product and content is not None:
        added = _applied(op, content, before)
        after = _combined(added, after, lambda one, other: one and one | other)
    return after if applied(op).keeps_zeros else with_constants(after, constant)


def with_constants(relation: Relation, constant: int) -> Relation:
    """The relation with this bit in every empty set."""
    if all(isinstance(rows, Identity) or 0 not in rows for _, rows in relation.parts):
        return relation
    return _grouped(
        (mask, Rows(row or constant for row in rows)) for mask, rows in relation.parts
    )


def without_constants(relation: Relation, constant: int) -> Relation:
    """The relation of positions alone."""
    if all(
        isinstance(rows, Identity) or max(rows, default=0) < constant
        for _, rows in relation.parts
    ):
        return relation
    return _grouped(
        (mask, Rows(row & ~constant for row in rows)) for mask, rows in relation.parts
    )


def _applied(
    op: Op,
    receptive_field: OperatorReceptiveField,
    before: Relation,
    products: bool = False,
) -> Relation:
    """The relation after an operator that adds no constants."""
    source, result = op.source, op.result
    assert source is not None
    if receptive_field.moves is not None and is_uniform(before):
        seen = Rows(before.parts[0][1][:1] * positions(result))
        return Relation((((1 << result.channels) - 1, seen),))
    if receptive_field.moves is not None:
        return _moved(before, receptive_field.moves, source)
    if receptive_field.listed:
        return _listed(before, receptive_field, result)
    everything = (1 << source.channels) - 1
    relation = _grouped(
        (channels & wanted, _read(part, rows))
        for part in receptive_field.parts
        for wanted in (everything if part.channels is None else part.channels,)
        for channels, rows in before.parts
        if channels & wanted
    )
    if receptive_field.mixes:
        return _mixed(relation, receptive_field.groups, source, result)
    width = source.channels // receptive_field.slices
    first, *others = (
        slice_of(relation, number * width, width)
        for number in range(receptive_field.slices)
    )
    for other in others:
        if products and receptive_field.product:
            first = _combined(first, other, lambda a, b: a | b if a and b else 0)
        else:
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
        assert part.channels is not None and part.outputs is not None
        seen = Relation(
            tuple(
                (mask & part.channels, _read(part, rows))
                for mask, rows in before.parts
                if mask & part.channels
            )
        ).rows
        for mask, rows in list(parts.items()):
            if mask & part.outputs:
                parts[mask & part.outputs] = Rows(map(or_, rows, seen))
                if mask & ~part.outputs:
                    parts[mask & ~part.outputs] = rows
                    del parts[mask]
    return _grouped(parts.items())


def _mixed(relation: Relation, groups: int, source: Shape, result: Shape) -> Relation:
    """The relation after each group of channels has been mixed."""
    before, width = source.channels // groups, result.channels // groups
    return _grouped(
        (
            ((1 << width) - 1) << number * width,
            slice_of(relation, number * before, before).rows,
        )
        for number in range(groups)
    )


def is_uniform(relation: Relation) -> bool:
    """Whether all positions and channels depend on the same."""
    first, *others = relation.parts[0][1]
    return len(relation.parts) == 1 and all(other == first for other in others)


def slice_of(relation: Relation, start: int, width: int) -> Relation:
    """The relation of consecutive channels, counted from 0 again."""
    kept = (1 << width) - 1
    parts = ((mask >> start & kept, rows) for mask, rows in relation.parts)
    return Relation(tuple((mask, rows) for mask, rows in parts if mask))


def side_by_side(relations: Sequence[Relation]) -> Relation:
    """The relation of the concatenated channels."""
    parts = []
    start = 0
    for relation in relations:
        parts += [(channels << start, rows) for channels, rows in relation.parts]
        start = max(channels.bit_length() for channels, _ in parts)
    return _grouped(parts)


def _moved(before: Relation, moves: Moves, source: Shape) -> Relation:
    """The relation after entries have been moved, each by itself.

    Channels of the result that come from the same positions, of channels that do not
    differ, are one group.
    """
    written = [Rows(rows) for _, rows in before.parts]  # each row once, however often
    part_of = _parts_of(before, source.channels)
    places, steps = moves.positions()
    channels, offsets = moves.sources_of_channels()
    groups: dict[tuple[int, int], int] = {}
    alike = len(before.parts) == 1 or moves.keeps_channels
    for channel, (step, offset) in enumerate(zip(steps, offsets, strict=True)):
        key = step, part_of[offset] if alike else offset
        groups[key] = groups.get(key, 0) | 1 << channel
    if alike:
        return _grouped(
            (mask, Rows([written[part][at + step] for at in places]))
            for (step, part), mask in groups.items()
        )
    return _grouped(
        (
            mask,
            Rows(
                [
                    written[part_of[channel + offset]][at + step]
                    for at, channel in zip(places, channels, strict=True)
                ]
            ),
        )
        for (step, offset), mask in groups.items()
    )


def _parts_of(relation: Relation, channels: int) -> list[int]:
    """For each channel, the number of its part."""
    found = [0] * channels
    for number, (mask, _) in enumerate(relation.parts[1:], start=1):
        for channel, digit in enumerate(reversed(f"{mask:b}")):
            if digit == "1":
                found[channel] = number
    return found


def union(one: Relation, other: Relation) -> Relation:
    """What a sum of two maps depends on, channel by channel."""
    return _combined(one, other, or_)


def _combined(
    one: Relation, other: Relation, rule: Callable[[int, int], int]
) -> Relation:
    """Two relations of the same map as one, set by set."""
    return _grouped(
        (left & right, Rows(map(rule, rows, others)))
        for left, rows in one.parts
        for right, others in other.parts
        if left & right
    )


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
    """For each entry of the table, the union of the rows that it lists."""
    read: list[int] = []
    before: tuple[int, ...] | None = None
    for sources in table:
        if sources is before:
            read.append(read[-1])
            continue
        before = sources
        if len(sources) == 1:
            read.append(rows[sources[0]])
            continue
        seen = 0
        for source in sources:
            seen |= rows[source]
        read.append(seen)
    return read


def _read_grid(grid: Grid, rows: Rows) -> Rows:
    """Across first, then down: k + k rows are joined instead of k · k."""
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
