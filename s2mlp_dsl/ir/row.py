"""Long rows of digests that repeat, hashed without being written out."""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import Union


class Row:
    """Digests in a row, given as parts: a digest or another row, and how often.

    Its own digest is the root of a binary tree over the digests (the tree of RFC
    6962: the left side is the largest power of two below the length), behind the
    length. It depends on the row alone, not on its parts. Where a part repeats,
    pieces of equal length that begin at the same place of it are equal, so the
    work grows with the logarithm of the repeats.
    """

    def __init__(self, parts: Iterable[tuple[Union[bytes, "Row"], int]]) -> None:
        self.parts = [(one, count) for one, count in parts if count and _length(one)]
        self.ends = list(accumulate(_length(one) * count for one, count in self.parts))
        self.length = self.ends[-1] if self.ends else 0
        self._known: dict[tuple[int, int, int], bytes] = {}

    def digest(self) -> bytes:
        """32 bytes, also for nothing in a row."""
        root = self._piece(0, self.length) if self.length else b""
        return hashlib.sha256(str(self.length).encode() + b" " + root).digest()

    def _piece(self, start: int, size: int) -> bytes:
        """The root over so many digests from a place on."""
        number = bisect_right(self.ends, start)
        part, _ = self.parts[number]
        first = self.ends[number - 1] if number else 0
        if start + size > self.ends[number]:  # more than one part
            return self._joined(start, size)
        if isinstance(part, bytes):
            key, inside = (number, 0, size), 0
        else:
            inside = (start - first) % part.length
            if inside + size <= part.length:
                return part._piece(inside, size)
            key = (number, inside, size)
        if key not in self._known:
            self._known[key] = (
                part
                if isinstance(part, bytes) and size == 1
                else self._joined(first + inside, size)
            )
        return self._known[key]

    def _joined(self, start: int, size: int) -> bytes:
        half = 1 << (size - 1).bit_length() - 1
        left = self._piece(start, half)
        return hashlib.sha256(left + self._piece(start + half, size - half)).digest()


def _length(part: bytes | Row) -> int:
    return 1 if isinstance(part, bytes) else part.length
