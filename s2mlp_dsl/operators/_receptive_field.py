"""Which positions and channels an operator reads.

Plain data: operators walk no graph. Positions of a map are numbered row by row, frame
after frame: position (t, y, x) is (t · height + y) · width + x.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import prod
from typing import Literal

from s2mlp_dsl.ir.shape import Shape, positions, positions_in_frame

# For each output position, the input positions it reads.
Table = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table whose windows are rows × columns of a frame, all of them or none.

    `rows` has, for each row of the result, the rows of the input (`height` of them)
    that it reads, and `columns` the same across; frames are read one by one.
    """

    frames: int
    height: int
    width: int
    rows: Table
    columns: Table

    @property
    def table(self) -> Table:
        return tuple(
            tuple(
                (frame * self.height + y) * self.width + c for y in down for c in right
            )
            for frame, down, right in product(
                range(self.frames), self.rows, self.columns
            )
        )


@dataclass(frozen=True, slots=True)
class Part:
    """Some input channels (a bit mask, None for all) and where they are read.

    `here` is the same position, `all` every position. `outputs` are the output
    channels (a bit mask) that read them so, None for all that depend on them.
    """

    channels: int | None
    reads: Literal["here", "all"] | Table | Grid
    outputs: int | None = None

    @property
    def table(self) -> Table | None:
        """What it reads for each position of the result, None for `here` and `all`."""
        if isinstance(self.reads, Grid):
            return self.reads.table
        return None if isinstance(self.reads, str) else self.reads

    def feeds(self, channel: int) -> bool:
        """Whether an output channel reads it."""
        return self.outputs is None or bool(self.outputs >> channel & 1)


@dataclass(frozen=True, slots=True)
class Moves:
    """Entries in another order, none of them changed.

    The axes of the input are split into axes of the sizes `split`, the last `channels`
    of them its channels. `order` has, for each axis of the result, its place among
    these; the last `merged` of them are the channels of the result.
    """

    split: tuple[int, ...]
    order: tuple[int, ...]
    channels: int
    merged: int

    def sources(self) -> tuple[int, ...]:
        """For each entry of the result, the entry it is, counted row by row."""
        strides = _strides(self.split)
        return _offsets(tuple((self.split[n], strides[n]) for n in self.order))

    def positions(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """A position of the input for each of the result, and steps for each channel.

        Channel c of position p comes from position `positions[p] + steps[c]`.
        """
        return self._apart(_strides(self.split[: -self.channels]), start=0)

    def sources_of_channels(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The same for the channels of the input, instead of its positions."""
        start = len(self.split) - self.channels
        return self._apart(_strides(self.split[start:]), start)

    @property
    def nothing(self) -> bool:
        """Whether the entries of the result are those of the input, row by row."""
        moved = [place for place in self.order if self.split[place] > 1]
        return moved == sorted(moved)

    @property
    def distinct(self) -> int:
        """How many channels of the result come from different positions."""
        first = len(self.split) - self.channels
        inside = self.order[-self.merged :]
        return prod(self.split[place] for place in inside if place < first)

    @property
    def keeps_channels(self) -> bool:
        """Whether a channel of the result comes from the same one everywhere."""
        first = len(self.split) - self.channels
        outside = self.order[: -self.merged]
        return all(place < first or self.split[place] == 1 for place in outside)

    def _apart(
        self, strides: list[int], start: int
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        known = dict(enumerate(strides, start))
        axes = [(self.split[place], known.get(place, 0)) for place in self.order]
        return (
            _offsets(tuple(axes[: -self.merged])),
            _offsets(tuple(axes[-self.merged :])),
        )


def _strides(sizes: tuple[int, ...]) -> list[int]:
    return [prod(sizes[place + 1 :]) for place in range(len(sizes))]


@lru_cache(maxsize=8)  # a model of many blocks asks for few, and each is long
def _offsets(axes: tuple[tuple[int, int], ...]) -> tuple[int, ...]:
    """All sums of steps along axes of some size and stride, the last axis fastest."""
    found: Iterable[int] = (0,)
    for size, stride in axes:
        steps = [stride * n for n in range(size)]
        found = [at + step for at in found for step in steps]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """`mixes`: every output channel depends on every input channel it reads.

    With n `slices`, output channel c reads the input channels c, c + C, c + 2C
    and so on, for C output channels: the results of n branches. `moves` is for
    operators that only move entries; `parts` are unused then.

    With n `groups`, channels mix within each of n equal runs only. If `listed`, each
    part says its output channels, and nothing else is read.

    A `product` is 0 where one of the slices is always 0, or, where there is a
    `content`, where all that this reads is.

    `content` is the receptive field when weights and statistics that are computed from
    the map are held constant, None where there are none.
    """

    mixes: bool
    parts: tuple[Part, ...] = (Part(None, "here"),)
    slices: int = 1
    moves: Moves | None = None
    groups: int = 1
    content: "ReceptiveField | None" = None
    listed: bool = False
    product: bool = False


POINTWISE = ReceptiveField(mixes=False)
MIXING = ReceptiveField(mixes=True)


def within_frames(x: Shape, groups: int = 1) -> ReceptiveField:
    """Every position of a frame, and the channels of a group, read each other."""
    count = positions_in_frame(x)
    if count == positions(x):
        return ReceptiveField(mixes=True, parts=(Part(None, "all"),), groups=groups)
    frames = (tuple(range(at, at + count)) for at in range(0, positions(x), count))
    table = tuple(frame for frame in frames for _ in range(count))  # each frame once
    return ReceptiveField(mixes=True, parts=(Part(None, table),), groups=groups)
