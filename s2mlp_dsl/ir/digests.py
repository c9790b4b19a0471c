"""Long sequences of digests that repeat, hashed without being written out."""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import Union


class DigestSequence:
    """A sequence of digests, given as parts: a digest or a sequence, and how often.

    Its own digest is the root of a Merkle tree over the digests (the tree of RFC 6962:
    the left side is the largest power of two below the length), prefixed with the
    length. It depends on the sequence alone, not on its parts. Where a part repeats,
    subtrees of equal length that begin at the same place of it are equal, so the work
    grows with the logarithm of the repeats.
    """

    def __init__(
        self, parts: Iterable[tuple[Union[bytes, "DigestSequence"], int]]
    ) -> None:
        self.parts = [(part, count) for part, count in parts if count and _length(part)]
        self.ends = list(
            accumulate(_length(part) * count for part, count in self.parts)
        )
        self.length = self.ends[-1] if self.ends else 0
        self._known: dict[tuple[int, int, int], bytes] = {}

    def digest(self) -> bytes:
        """32 bytes, also for an empty sequence."""
        root = self._subtree(0, self.length) if self.length else b""
        return hashlib.sha256(str(self.length).encode() + b" " + root).digest()

    def _subtree(self, start: int, size: int) -> bytes:
        """The root over `size` digests from `start` on."""
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
                return part._subtree(inside, size)
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
        left = self._subtree(start, half)
        right = self._subtree(start + half, size - half)
        return hashlib.sha256(left + right).digest()


def _length(part: bytes | DigestSequence) -> int:
    return 1 if isinstance(part, bytes) else part.length
