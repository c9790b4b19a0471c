"""The edge rules: where a position outside the map takes its value from.

One written meaning (the language's second law) for fact sheets and reference.
`replicate`, `circular` and `reflect` act on each axis alone; `keep` and `zeros` act on
the position as a whole, as soon as any axis leaves the map.
"""

from collections.abc import Sequence

from s2mlp_dsl.ir.program import Edge


def inside(index: int, length: int, edge: Edge) -> int | None:
    """The index that stands in for `index` on an axis, None if none does."""
    if 0 <= index < length:
        return index
    if edge == "replicate":
        return min(max(index, 0), length - 1)
    if edge == "circular":
        return index % length
    if edge == "reflect":
        if length == 1:
            return 0
        period = 2 * (length - 1)
        folded = index % period
        return min(folded, period - folded)
    return None


def source_of(
    place: Sequence[int], move: Sequence[int], size: Sequence[int], edge: Edge
) -> tuple[int, ...] | None:
    """Where Y[place] takes its value from when content moves by `move`.

    Returns an index into X, `place` itself where `keep` keeps, or None where
    `zeros` puts 0.
    """
    found = [inside(p - d, n, edge) for p, d, n in zip(place, move, size, strict=True)]
    if any(index is None for index in found):
        return tuple(place) if edge == "keep" else None
    return tuple(index for index in found if index is not None)
