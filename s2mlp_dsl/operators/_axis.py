"""Rows or columns added to a map, or cut off."""

from collections.abc import Sequence

from s2mlp_dsl.ir.shape import Map
from s2mlp_dsl.operators import Enum, Grid, Part, ReceptiveField
from s2mlp_dsl.operators._single_source import SingleSource


def axis_argument() -> Enum:
    return Enum("rows (y) or columns (x)", choices=("y", "x"))


def side(axis: str) -> str:
    """The side of a map that an axis counts along."""
    return "height" if axis == "y" else "width"


class AlongAxis(SingleSource):
    """Other rows (`axis` y) or columns (x) of a map."""

    axis = axis_argument()

    @property
    def side_length(self) -> int:
        """Rows or columns of the input."""
        length: int = getattr(self.map, side(self.axis))
        return length

    @property
    def dim(self) -> int:
        """The axis of [batch, …, height, width, channels], from the end."""
        return -3 if self.axis == "y" else -2

    def with_length(self, length: int) -> Map:
        return self.map.model_copy(update={side(self.axis): length})

    def along(self) -> Sequence[int | None]:
        """For each output row or column, the one that is read; None for zeros."""
        raise NotImplementedError

    def listed_reads(self) -> int:
        *grid, _ = self.shape().dims
        return sum(grid)

    def receptive_field(self) -> ReceptiveField:
        x = self.map
        rows, columns = (
            tuple(() if at is None else (at,) for at in line) for line in self._lines()
        )
        grid = Grid(x.frames, x.height, x.width, rows, columns)
        return ReceptiveField(mixes=False, parts=(Part(None, grid),))

    def _lines(self) -> tuple[Sequence[int | None], Sequence[int | None]]:
        """For each output row, the one that is read, and the same for columns."""
        if self.axis == "y":
            return self.along(), range(self.map.width)
        return range(self.map.height), self.along()

    def sources(self) -> list[int | None]:
        x = self.map
        rows, columns = self._lines()
        return [
            (frame * x.height + row) * x.width + column
            if row is not None and column is not None
            else None
            for frame in range(x.frames)
            for row in rows
            for column in columns
        ]
