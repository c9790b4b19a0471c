"""Windows that slide over a map: which positions each of them reads.

On an axis of n positions, padded by p on both sides, windows of size k and stride s
are ⌊(n + 2p − k) / s⌋ + 1; the first begins at −p.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from s2mlp_dsl.diagnostics.catalogue import shapes
from s2mlp_dsl.ir.program import Edge
from s2mlp_dsl.ir.shape import Map
from s2mlp_dsl.operators._definition import Refusal
from s2mlp_dsl.operators._edges import index_inside
from s2mlp_dsl.operators._receptive_field import Grid


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of a map, frame by frame."""

    x: Map
    size: int
    stride: int
    pad: int
    edge: Edge = "zeros"

    def result(self, channels: int) -> Map:
        """The map with a position per window. Raises `Refusal` where none fits."""
        for axis, length in (("height", self.x.height), ("width", self.x.width)):
            if length + 2 * self.pad < self.size:
                raise Refusal(
                    shapes.NO_WINDOW_FITS,
                    axis=axis,
                    length=length,
                    pad=self.pad,
                    size=self.size,
                )
        height, width = self._count(self.x.height), self._count(self.x.width)
        return Map(time=self.x.time, height=height, width=width, channels=channels)

    def unread(self) -> tuple[int, int]:
        """Rows and columns behind the last window, which none reads."""
        return self._unread(self.x.height), self._unread(self.x.width)

    def reads(self) -> Iterator[list[tuple[int, int]]]:
        """For each window: (offset within it, row by row; position it reads)."""
        x, rows, columns = self.x, self._along(self.x.height), self._along(self.x.width)
        for frame, down, right in product(range(x.frames), rows, columns):
            yield [
                (i * self.size + j, (frame * x.height + row) * x.width + column)
                for i, row in down
                for j, column in right
            ]

    def by_offset(self) -> dict[int, tuple[list[int], list[int]]]:
        """For each offset within a window: the windows that read there, and what."""
        found: dict[int, tuple[list[int], list[int]]] = {}
        for window, reads in enumerate(self.reads()):
            for offset, source in reads:
                windows, sources = found.setdefault(offset, ([], []))
                windows.append(window)
                sources.append(source)
        return found

    def grid(self) -> Grid:
        """For each window, the rows and columns it reads."""
        rows, columns = (
            tuple(tuple(sorted({one for _, one in row})) for row in self._along(length))
            for length in (self.x.height, self.x.width)
        )
        return Grid(self.x.frames, self.x.height, self.x.width, rows, columns)

    def _count(self, length: int) -> int:
        return (length + 2 * self.pad - self.size) // self.stride + 1

    def _unread(self, length: int) -> int:
        last = (self._count(length) - 1) * self.stride - self.pad
        left = length - last - max(self.size, self.stride)
        if self.edge == "circular":  # the first windows read the last positions
            left -= self.pad
        return max(0, left)

    def _along(self, length: int) -> list[list[tuple[int, int]]]:
        """For each window on an axis: (offset within it, index it reads)."""
        starts = (at * self.stride - self.pad for at in range(self._count(length)))
        found = (
            (
                (at, index_inside(start + at, length, self.edge))
                for at in range(self.size)
            )
            for start in starts
        )
        return [[(at, i) for at, i in row if i is not None] for row in found]
