"""Shapes between statements: a map, a sequence of tokens, or a vector.

The batch axis is implicit everywhere. Axes are named as in the language: a map
is [time?, height, width, channels].
"""

from math import prod
from typing import Annotated, Literal

from pydantic import Field

from s2mlp_dsl.ir.node import Record


class Map(Record):
    """A grid of positions; `time` is the number of frames, None for an image."""

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
        """The number of frames; 1 for an image."""
        return 1 if self.time is None else self.time

    @property
    def dims(self) -> tuple[int, ...]:
        return (*self.grid, self.channels)

    def __str__(self) -> str:
        return " × ".join(map(str, self.dims))


class Tokens(Record):
    """A sequence of positions without a grid."""

    kind: Literal["tokens"] = "tokens"
    count: int
    channels: int

    @property
    def dims(self) -> tuple[int, ...]:
        return (self.count, self.channels)

    def __str__(self) -> str:
        return f"{self.count} × {self.channels}"


class Vector(Record):
    """Channels without positions, as after global pooling."""

    kind: Literal["vector"] = "vector"
    channels: int

    @property
    def dims(self) -> tuple[int, ...]:
        return (self.channels,)

    def __str__(self) -> str:
        return str(self.channels)


Shape = Annotated[Map | Tokens | Vector, Field(discriminator="kind")]


def shape_of(dims: tuple[int, ...]) -> Shape:
    """The shape with one to four axes, the last of them channels."""
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
    raise ValueError(f"a shape has one to four axes, not {len(dims)}")


def positions(shape: Shape) -> int:
    """The number of positions: of the grid, of the tokens, or 1."""
    return prod(shape.dims[:-1])


def positions_in_frame(shape: Shape) -> int:
    """The number of positions in one frame; all of them where there is no time."""
    return positions(shape) // (shape.frames if isinstance(shape, Map) else 1)


def with_channels(shape: Shape, channels: int) -> Shape:
    """The same positions with another number of channels."""
    return shape.model_copy(update={"channels": channels})
