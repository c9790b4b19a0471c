"""Which positions and channels an operator reads.

Plain data: operators walk no graph. Positions of a map are numbered row by row, frame
after frame: position (t, y, x) is (t · height + y) · width + x.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
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
class ReceptiveField:
    """`mixes`: every output channel depends on every input channel it reads.

    With n `slices`, output channel c reads the input channels c, c + C, c + 2C
    and so on, for C output channels: the results of n branches. `moves` is for
    operators that only move entries, and gives the input entry of each output entry,
    both counted as position · channels + channel; `parts` are unused then.

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
    moves: Callable[[], Sequence[int]] | None = None
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
    table = tuple(
        tuple(range(place - place % count, place - place % count + count))
        for place in range(positions(x))
    )
    return ReceptiveField(mixes=True, parts=(Part(None, table),), groups=groups)
