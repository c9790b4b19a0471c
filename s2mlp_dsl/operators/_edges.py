"""The edge rules: what is read outside the map (the language's second law).

`replicate`, `circular` and `reflect` act on each axis alone; `keep` and `zeros` act on
the position as a whole, as soon as it is outside on any axis.
"""

from collections.abc import Sequence

from s2mlp_dsl.ir.program import Edge

PADDING_MODES = ("zeros", "replicate", "circular", "reflect")


def index_inside(index: int, length: int, edge: Edge) -> int | None:
    """The index that is read for `index` on an axis; None for `keep` and `zeros`."""
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
    """The index into X that Y[place] is read from when content moves by `move`.

    `place` itself for `keep`, and None for `zeros`, if that is outside.
    """
    axes = zip(place, move, size, strict=True)
    found = [index_inside(at - step, length, edge) for at, step, length in axes]
    if any(index is None for index in found):
        return tuple(place) if edge == "keep" else None
    return tuple(index for index in found if index is not None)
