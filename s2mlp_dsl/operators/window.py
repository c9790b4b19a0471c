"""Windows that slide over a map: which positions each of them reads.

On an axis of n positions, padded by p on both sides, windows of k that stand s
apart are ⌊(n + 2p − k) / s⌋ + 1; the first begins at −p.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from s2mlp_dsl.ir.program import Edge
from s2mlp_dsl.ir.shape import Map
from s2mlp_dsl.operators import codes
from s2mlp_dsl.operators.base import Array, Refusal
from s2mlp_dsl.operators.edges import inside
from s2mlp_dsl.operators.receptive_field import Grid


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of a map, frame by frame."""

    size: int
    stride: int
    pad: int
    edge: Edge

    def shape(self, x: Map, channels: int) -> Map:
        """The map with a position per window. Raises `Refusal` where none fits."""
        for axis, length in (("height", x.height), ("width", x.width)):
            if length + 2 * self.pad < self.size:
                raise Refusal(
                    codes.WINDOW,
                    f"{axis} {length} + 2 · {self.pad} is less than {self.size}",
                    help="take a smaller window, or pad more",
                )
        return Map(
            time=x.time,
            height=self._count(x.height),
            width=self._count(x.width),
            channels=channels,
        )

    def dropped(self, x: Map) -> tuple[int, int]:
        """Rows and columns that are left behind the last window, and read by none."""
        return self._left(x.height), self._left(x.width)

    def _left(self, length: int) -> int:
        last = (self._count(length) - 1) * self.stride - self.pad
        left = length - last - max(self.size, self.stride)
        if self.edge == "circular":  # the first windows read the last positions
            left -= self.pad
        return max(0, left)

    def _count(self, length: int) -> int:
        return (length + 2 * self.pad - self.size) // self.stride + 1

    def _along(self, length: int) -> list[list[tuple[int, int]]]:
        """For each window on an axis: (place within it, index it reads)."""
        starts = (at * self.stride - self.pad for at in range(self._count(length)))
        found = (
            ((at, inside(start + at, length, self.edge)) for at in range(self.size))
            for start in starts
        )
        return [[(at, one) for at, one in row if one is not None] for row in found]

    def reads(self, x: Map) -> Iterator[list[tuple[int, int]]]:
        """For each window: (place within it, row by row, position it reads)."""
        rows, columns = self._along(x.height), self._along(x.width)
        for frame, down, right in product(range(x.frames), rows, columns):
            yield [
                (i * self.size + j, (frame * x.height + row) * x.width + column)
                for i, row in down
                for j, column in right
            ]

    def by_offset(self, x: Map) -> dict[int, tuple[list[int], list[int]]]:
        """For each place within a window: the windows that read there, and what."""
        found: dict[int, tuple[list[int], list[int]]] = {}
        for window, reads in enumerate(self.reads(x)):
            for offset, source in reads:
                windows, sources = found.setdefault(offset, ([], []))
                windows.append(window)
                sources.append(source)
        return found

    def grid(self, x: Map) -> Grid:
        """For each window, the rows and columns it reads."""
        rows, columns = (
            tuple(tuple(sorted({one for _, one in row})) for row in self._along(length))
            for length in (x.height, x.width)
        )
        return Grid(x.frames, x.height, x.width, rows, columns)

    def on(self, x: Array) -> tuple[Map, Array]:
        """One frame's size, and an array's frames as [frames, positions, channels]."""
        *_, height, width, channels = x.shape
        size = Map(height=height, width=width, channels=channels)
        return size, x.reshape(-1, height * width, channels)

    def back(self, x: Array, y: Array) -> Array:
        """[frames, windows, channels] on the grid that `x` gives."""
        *batch, height, width, _ = x.shape
        return y.reshape(*batch, self._count(height), self._count(width), y.shape[-1])
