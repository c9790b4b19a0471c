"""Axis patterns: `y x c -> c (y x)`, in the notation of einops.

Each side lists the axes of a shape in order. Brackets merge several axes into one, the
first of them slowest. Both sides name the same axes. A size is given where it cannot be
derived: `(y a=2) x c -> y (x a) c`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from math import prod

from s2mlp_dsl.diagnostics import Message
from s2mlp_dsl.diagnostics.catalogue import shapes
from s2mlp_dsl.operators._definition import Refusal
from s2mlp_dsl.operators._division import divided
from s2mlp_dsl.operators._receptive_field import Moves

Side = tuple[tuple[str, ...], ...]

_LONGEST = 200  # characters
MOST_AXES = 4  # of a shape, channels included
_TOKEN = re.compile(r"\s*(->|[()]|[A-Za-z_]\w*(?:\s*=\s*[0-9]{1,9})?)")


@dataclass(frozen=True, slots=True)
class Pattern:
    """Both sides, and the sizes that are given."""

    left: Side
    right: Side
    given: tuple[tuple[str, int], ...] = ()

    @property
    def axes(self) -> tuple[str, ...]:
        """Every axis, in the order of the left side."""
        return tuple(axis for group in self.left for axis in group)

    def __str__(self) -> str:
        given = dict(self.given)
        left = (
            [f"{axis}={given[axis]}" if axis in given else axis for axis in group]
            for group in self.left
        )
        return f"{_text(left)} -> {_text(self.right)}"

    def fit(self, dims: tuple[int, ...]) -> "FittedPattern":
        """The pattern on a shape. Raises `Refusal`."""
        if len(self.left) != len(dims):
            shape = " × ".join(map(str, dims))
            raise _refused(shapes.PATTERN_RANK, axes=_count(self.left), shape=shape)
        sizes = dict(self.given)
        for group, size in zip(self.left, dims, strict=True):
            _solve(group, size, sizes)
        return FittedPattern(self, sizes)


@dataclass(frozen=True, slots=True)
class FittedPattern:
    """A pattern with the size of every axis."""

    pattern: Pattern
    sizes: Mapping[str, int]

    @property
    def split(self) -> tuple[int, ...]:
        """The size of each axis, in the order of the left side."""
        return tuple(self.sizes[axis] for axis in self.pattern.axes)

    @property
    def order(self) -> tuple[int, ...]:
        """For each axis of the right side, its place on the left."""
        places = {axis: place for place, axis in enumerate(self.pattern.axes)}
        return tuple(places[axis] for group in self.pattern.right for axis in group)

    @property
    def dims(self) -> tuple[int, ...]:
        """The shape of the result."""
        return self._merged(self.pattern.right)

    @property
    def moves(self) -> Moves:
        """Where each entry of the result comes from."""
        left, right = self.pattern.left[-1], self.pattern.right[-1]
        return Moves(self.split, self.order, len(left), len(right))

    def back(self, dims: tuple[int, ...]) -> "FittedPattern":
        """The way back from a result of the body with shape `dims`.

        The last axis may have another size, unless it is several merged axes. Raises
        `Refusal`.
        """
        sizes = dict(self.sizes)
        last = self.pattern.right[-1]
        if len(last) == 1 and len(dims) == len(self.dims):
            sizes[last[0]] = dims[-1]
        back = FittedPattern(Pattern(self.pattern.right, self.pattern.left), sizes)
        if back._merged(back.pattern.left) != dims:
            same_positions = dims[:-1] == self.dims[:-1]
            raise Refusal(
                shapes.FOLD_CHANNELS if same_positions else shapes.FOLD_POSITIONS,
                result=" × ".join(map(str, dims)),
                input=" × ".join(map(str, self.dims)),
                channels=self.dims[-1],
            )
        return back

    def _merged(self, side: Side) -> tuple[int, ...]:
        return tuple(prod(self.sizes[axis] for axis in group) for group in side)

    def __str__(self) -> str:
        """The pattern with only the sizes that are needed to fit it again."""
        left = (
            (group[0], *(f"{axis}={self.sizes[axis]}" for axis in group[1:]))
            for group in self.pattern.left
        )
        return f"{_text(left)} -> {_text(self.pattern.right)}"


@lru_cache(maxsize=64)  # asked for at every use of an operator
def parse_pattern(text: str) -> Pattern:
    """The pattern that a text spells. Raises `Refusal`."""
    if len(text) > _LONGEST:
        raise _refused(shapes.PATTERN_LONG, limit=_LONGEST)
    sides: list[list[list[str]]] = [[]]
    given: list[tuple[str, int]] = []
    is_open = False
    for token in _tokens(text):
        if token == "->" and not is_open:
            sides.append([])
        elif token == "(" and not is_open:
            is_open = True
            sides[-1].append([])
        elif token == ")" and is_open:
            is_open = False
        elif token in ("->", "(", ")"):
            raise _refused(shapes.PATTERN_TOKEN, token=token)
        else:
            name, _, size = token.partition("=")
            if size:
                given.append((name.strip(), int(size)))
            if not is_open:
                sides[-1].append([])
            sides[-1][-1].append(name.strip())
    if is_open:
        raise _refused(shapes.PATTERN_BRACKET)
    if len(sides) != 2:
        raise _refused(shapes.PATTERN_SIDES)
    left, right = (tuple(map(tuple, side)) for side in sides)
    _check(left, right, given)
    return Pattern(left, right, tuple(given))


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            raise _refused(shapes.PATTERN_TOKEN, token=text[at:].strip()[:1])
        yield found[1]
        at = found.end()


def _check(left: Side, right: Side, given: list[tuple[str, int]]) -> None:
    """Every axis once on each side, and not more axes than a shape has."""
    for side, word in ((left, "left"), (right, "right")):
        if not 0 < len(side) <= MOST_AXES:
            raise _refused(
                shapes.PATTERN_TOO_MANY, side=word, axes=_count(side), limit=MOST_AXES
            )
        axes = [axis for group in side for axis in group]
        twice = [axis for axis in axes if axes.count(axis) > 1]
        if twice:
            raise _refused(shapes.PATTERN_TWICE, axis=twice[0], side=word)
        if () in side:
            raise _refused(shapes.PATTERN_EMPTY)
    names, others = (set(chain.from_iterable(side)) for side in (left, right))
    if odd := sorted(names ^ others):
        side_of = "left" if odd[0] in names else "right"
        raise _refused(shapes.PATTERN_ONE_SIDE, axis=odd[0], side=side_of)
    for axis, size in given:
        if size == 0:
            raise _refused(shapes.PATTERN_ZERO, axis=axis)


def _solve(group: tuple[str, ...], size: int, sizes: dict[str, int]) -> None:
    """Add the size of the one axis of a group that is not known."""
    known = prod(sizes[axis] for axis in group if axis in sizes)
    unknown = [axis for axis in group if axis not in sizes]
    if len(unknown) > 1:
        axes = " and ".join(f"`{axis}`" for axis in unknown)
        raise _refused(shapes.PATTERN_OPEN, size=size, axes=axes, axis=unknown[-1])
    if not unknown and known != size:
        message = shapes.PATTERN_SIZE if len(group) == 1 else shapes.PATTERN_PRODUCT
        raise _refused(message, axis=" · ".join(group), known=known, size=size)
    if size % known:
        raise _refused(shapes.PATTERN_DIVIDES, **divided(size, known))
    if unknown:
        sizes[unknown[0]] = size // known


def _refused(message: Message, **fields: object) -> Refusal:
    return Refusal(message, argument="pattern", **fields)


def _text(groups: Iterable[Sequence[str]]) -> str:
    return " ".join(
        group[0] if len(group) == 1 else f"({' '.join(group)})" for group in groups
    )


def _count(side: Side) -> str:
    return "1 axis" if len(side) == 1 else f"{len(side)} axes"
