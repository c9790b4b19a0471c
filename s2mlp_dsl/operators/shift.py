"""shift: the spatial shift, the operator this language is about."""

from collections.abc import Iterator, Mapping

from s2mlp_dsl.ir.program import Shift as ShiftValue
from s2mlp_dsl.ir.program import ShiftGroup
from s2mlp_dsl.ir.shape import Map, Shape
from s2mlp_dsl.operators import codes
from s2mlp_dsl.operators.base import (
    Args,
    Array,
    Construct,
    Operator,
    Parameter,
    Properties,
    Reads,
    Refusal,
    Term,
    need_map,
)
from s2mlp_dsl.operators.edges import inside, source_of
from s2mlp_dsl.operators.receptive_field import Part, ReceptiveField


class Shift(Operator):
    name = "shift"
    summary = "moves each channel group of the map by its own displacement"
    formula = "y[p, c] = x[p − d, c] for every channel c of the group that moves by d"
    paper = "S²-MLP equation 3; Wu et al. 2018"
    parameters = (Parameter("by", "shift", "a declared shift, or none"),)
    example = "shift(cross)"
    example_input = Map(height=3, width=5, channels=8)

    def shape(self, x: Shape | None, a: Args) -> Shape:
        x = need_map(x, "shift before the map is pooled")
        if x.time is None and any(group.later for group in a.shift("by").groups):
            raise Refusal(
                codes.NEEDS_TIME,
                f"the map is {x}",
                argument="by",
                help="move right, left, down or up, or let a `video` come in",
            )
        return x

    def receptive_field(self, x: Shape, a: Args) -> ReceptiveField:
        assert isinstance(x, Map)
        shift = a.shift("by")
        return ReceptiveField(
            mixes=False,
            parts=tuple(
                Part(
                    sum(1 << channel for channel in channels),
                    tuple(
                        () if source is None else (source,)
                        for source in _sources(x, shift, group)
                    ),
                )
                for group, channels in channels_of(shift)
            ),
        )

    def properties(self, x: Shape | None, a: Args) -> Properties:
        groups = a.shift("by").groups
        moves = {(group.right, group.down, group.later) for group in groups}
        reads: Reads = "position" if moves == {(0, 0, 0)} else "neighbours"
        return Properties(False, reads, False, len(moves) > 1)

    def construct(self, x: Shape | None, a: Args) -> Construct:
        assert isinstance(x, Map)
        shift = a.shift("by")
        groups = tuple(
            (g.channels, g.right, g.down, *(() if x.time is None else (g.later,)))
            for g in shift.groups
        )
        keywords = (("groups", groups), ("edge", shift.edge))
        if shift.interleaved:
            turns = ("turns", shift.interleaved)
            return Construct("InterleavedShift", (), (*keywords, turns))
        return Construct("SpatialShift", (), keywords)

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        shift = a.shift("by")
        grid = x.shape[1:-1]
        flat = x.reshape(len(x), -1, x.shape[-1])
        y = np.zeros_like(flat)
        for group, channels in channels_of(shift):
            move = (group.later, group.down, group.right)[-len(grid) :]
            for place, at in enumerate(np.ndindex(*grid)):
                source = source_of(at, move, grid, shift.edge)
                if source is not None:
                    where = np.ravel_multi_index(source, grid)
                    y[:, place, channels] = flat[:, where, channels]
        return y.reshape(x.shape)

    def linear_map(self, x: Shape, a: Args) -> Iterator[Term]:
        assert isinstance(x, Map)
        shift = a.shift("by")
        for group, channels in channels_of(shift):
            for place, source in enumerate(_sources(x, shift, group)):
                if source is not None:
                    for channel in channels:
                        yield Term((place, channel), (source, channel), None)


def channels_of(shift: ShiftValue) -> Iterator[tuple[ShiftGroup, list[int]]]:
    """Each group with its channels, in the order of the groups."""
    together = shift.interleaved
    start = sum(group.channels for group in shift.groups[:together])
    for number, group in enumerate(shift.groups):
        if number < together:
            yield (
                group,
                list(range(number, number + together * group.channels, together)),
            )
        else:
            yield group, list(range(start, start + group.channels))
            start += group.channels


def _sources(x: Map, shift: ShiftValue, group: ShiftGroup) -> list[int | None]:
    """For each position, the position a group reads, None where it gets 0."""
    frames, rows, columns = (
        [inside(at - step, length, shift.edge) for at in range(length)]
        for step, length in (
            (group.later, x.frames),
            (group.down, x.height),
            (group.right, x.width),
        )
    )
    found: list[int | None] = []
    for frame in frames:
        for row in rows:
            for column in columns:
                place = len(found)
                if frame is not None and row is not None and column is not None:
                    found.append((frame * x.height + row) * x.width + column)
                else:
                    found.append(place if shift.edge == "keep" else None)
    return found
