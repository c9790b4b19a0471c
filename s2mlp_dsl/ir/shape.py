"""What flows between statements: a map, a row of tokens, or a vector.

The batch axis is implicit everywhere. Axes are named as in the language: a map
is [time?, height, width, channels].
"""

from math import prod
from typing import Literal

from s2mlp_dsl.ir.node import Record


class Map(Record):
    """A grid of positions, each with `channels` numbers; `time` frames of video."""

    kind: Literal["map"] = "map"
    time: int | None = None
    height: int
    width: int
    channels: int

    @property
    def grid(self) -> tuple[int, ...]:
        """The sides of the grid: [time?, height, width]."""
        frames = () if self.time is None else (self.time,)
        return (*frames, self.height, self.width)

    @property
    def frames(self) -> int:
        """How many frames there are; an image is one."""
        return 1 if self.time is None else self.time

    @property
    def dims(self) -> tuple[int, ...]:
        return (*self.grid, self.channels)

    def __str__(self) -> str:
        return " × ".join(map(str, self.dims))


class Tokens(Record):
    """A row of positions without a grid."""

    kind: Literal["tokens"] = "tokens"
    count: int
    channels: int

    @property
    def dims(self) -> tuple[int, ...]:
        return (self.count, self.channels)

    def __str__(self) -> str:
        return f"{self.count} × {self.channels}"


class Vector(Record):
    """One position: what is left after pooling."""

    kind: Literal["vector"] = "vector"
    channels: int

    @property
    def dims(self) -> tuple[int, ...]:
        return (self.channels,)

    def __str__(self) -> str:
        return str(self.channels)


Shape = Map | Tokens | Vector


def shape_of(dims: tuple[int, ...]) -> Shape:
    """The shape with these axes, the last of them channels: one to four."""
    *grid, channels = dims
    match grid:
        case []:
            return Vector(channels=channels)
        case [count]:
            return Tokens(count=count, channels=channels)
        case [height, width]:
            return Map(height=height, width=width, channels=channels)
        case [time, height, width]:
            return Map(time=time, height=height, width=width, channels=channels)
    raise ValueError(f"no shape has {len(dims)} axes")


def positions(shape: Shape) -> int:
    """Number of positions: of the grid, of the tokens, or 1."""
    return prod(shape.dims[:-1])


def positions_in_frame(shape: Shape) -> int:
    """Positions of the map, the tokens, or one frame of a clip."""
    return positions(shape) // (shape.frames if isinstance(shape, Map) else 1)


def with_channels(shape: Shape, channels: int) -> Shape:
    """The same positions with another number of channels."""
    return shape.model_copy(update={"channels": channels})
