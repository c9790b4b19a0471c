"""shift: the spatial shift, the operator this language is about."""

from collections.abc import Iterator, Mapping

from s2mlp_dsl.diagnostics.catalogue import shapes
from s2mlp_dsl.ir.program import Shift as ShiftValue
from s2mlp_dsl.ir.program import ShiftGroup
from s2mlp_dsl.ir.shape import Map, Shape, positions
from s2mlp_dsl.operators import (
    Array,
    Construct,
    Operator,
    Part,
    Properties,
    ReceptiveField,
    Refusal,
    ShiftArgument,
    Term,
    index_inside,
    source_of,
)


class Shift(Operator):
    name = "shift"
    summary = "moves each channel group of the map by its own displacement"
    formula = "y[p, c] = x[p − d, c] for every channel c of the group that moves by d"
    paper = "S²-MLP equation 3; Wu et al. 2018"
    example = "shift(cross)"
    example_input = Map(height=3, width=5, channels=8)

    by = ShiftArgument("a declared shift, or none")

    def shape(self) -> Shape:
        if self.map.time is None and any(group.later for group in self.by.groups):
            raise Refusal(shapes.TIME_NEEDED, argument="by", shape=self.x)
        return self.x

    def listed_reads(self) -> int:
        return len(self.by.groups) * positions(self.map)

    def receptive_field(self) -> ReceptiveField:
        parts = []
        for group, channels in self.groups():
            table = tuple(() if s is None else (s,) for s in self.sources(group))
            parts.append(Part(sum(1 << channel for channel in channels), table))
        return ReceptiveField(mixes=False, parts=tuple(parts))

    def properties(self) -> Properties:
        moves = {(group.right, group.down, group.later) for group in self.by.groups}
        return Properties(
            "position" if moves == {(0, 0, 0)} else "neighbours",
            channel_specific=len(moves) > 1,
        )

    def spatial_shift(self) -> ShiftValue:
        return self.by

    def construct(self) -> Construct:
        is_clip = self.map.time is not None
        groups = tuple(
            (g.channels, g.right, g.down, *((g.later,) if is_clip else ()))
            for g in self.by.groups
        )
        options = {"groups": groups, "edge": self.by.edge}
        if self.by.interleaved:
            turns = self.by.interleaved
            return Construct.of("InterleavedShift", **options, turns=turns)
        return Construct.of("SpatialShift", **options)

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        grid = x.shape[1:-1]
        flat = x.reshape(len(x), -1, x.shape[-1])
        y = np.zeros_like(flat)
        for group, channels in self.groups():
            move = (group.later, group.down, group.right)[-len(grid) :]
            for place, at in enumerate(np.ndindex(*grid)):
                source = source_of(at, move, grid, self.by.edge)
                if source is not None:
                    where = np.ravel_multi_index(source, grid)
                    y[:, place, channels] = flat[:, where, channels]
        return y.reshape(x.shape)

    def linear_map(self) -> Iterator[Term]:
        for group, channels in self.groups():
            for place, source in enumerate(self.sources(group)):
                for channel in channels if source is not None else ():
                    assert source is not None
                    yield Term((place, channel), (source, channel), None)

    def groups(self) -> Iterator[tuple[ShiftGroup, list[int]]]:
        """Each group with its channels."""
        groups, turns = self.by.groups, self.by.interleaved
        start = sum(group.channels for group in groups[:turns])
        for number, group in enumerate(groups):
            if number < turns:
                end = number + turns * group.channels
                yield group, list(range(number, end, turns))
            else:
                yield group, list(range(start, start + group.channels))
                start += group.channels

    def sources(self, group: ShiftGroup) -> list[int | None]:
        """For each position, the position a group reads, None where it gets 0."""
        x, edge = self.map, self.by.edge
        frames, rows, columns = (
            [index_inside(at - step, length, edge) for at in range(length)]
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
                    if frame is not None and row is not None and column is not None:
                        found.append((frame * x.height + row) * x.width + column)
                    else:
                        found.append(len(found) if edge == "keep" else None)
        return found
