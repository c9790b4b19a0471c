"""What flows between statements: a map, a row of tokens, or a vector.

The batch axis is implicit everywhere. Axes are named as in the language: a map
is [time?, height, width, channels].
"""

from typing import Literal

from s2mlp_dsl.ir.node import Record


class Map(Record):
    """A grid of positions, each with `channels` numbers."""

    kind: Literal["map"] = "map"
    height: int
    width: int
    channels: int

    @property
    def dims(self) -> tuple[int, ...]:
        return (self.height, self.width, self.channels)

    def __str__(self) -> str:
        return f"{self.height} × {self.width} × {self.channels}"


class Vector(Record):
    """One position: what is left after pooling."""

    kind: Literal["vector"] = "vector"
    channels: int

    @property
    def dims(self) -> tuple[int, ...]:
        return (self.channels,)

    def __str__(self) -> str:
        return str(self.channels)


Shape = Map | Vector


def positions(shape: Shape) -> int:
    """Number of positions: height × width, or 1."""
    return shape.height * shape.width if isinstance(shape, Map) else 1


def with_channels(shape: Shape, channels: int) -> Shape:
    """The same positions with another number of channels."""
    return shape.model_copy(update={"channels": channels})
