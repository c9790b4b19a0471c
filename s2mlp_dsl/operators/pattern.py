"""Axis patterns: `y x c -> c (y x)`, in the notation of einops.

Each side lists the axes of a shape in order; brackets hold axes that lie
together in one, the first of them slowest. Both sides name the same axes. A
size stands where it cannot be worked out: `(y a=2) x c -> y (x a) c`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod

Side = tuple[tuple[str, ...], ...]

_LONGEST = 200  # characters
MOST_AXES = 4  # of a shape, channels included
_TOKEN = re.compile(r"\s*(->|[()]|[A-Za-z_]\w*(?:\s*=\s*[0-9]{1,9})?)")


class PatternError(Exception):
    """What is wrong with a pattern, and how it can be mended."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.help = help


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
        return f"{_side(left)} -> {_side(self.right)}"

    def fit(self, dims: tuple[int, ...]) -> "Fitted":
        """The pattern on a shape. Raises `PatternError`."""
        if len(self.left) != len(dims):
            shape = " × ".join(map(str, dims))
            raise PatternError(
                f"the left side has {_count(self.left)}, and {shape} enters",
                "name each axis that enters, the channels last",
            )
        sizes = dict(self.given)
        for group, size in zip(self.left, dims, strict=True):
            _solve(group, size, sizes)
        return Fitted(self, sizes)


@dataclass(frozen=True, slots=True)
class Fitted:
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
        """The shape that leaves."""
        return tuple(
            prod(self.sizes[axis] for axis in group) for group in self.pattern.right
        )

    def sources(self) -> Sequence[int]:
        """For each entry that leaves, which entry it is, counted row by row."""
        return _sources(self.split, self.order)

    def back(self, dims: tuple[int, ...]) -> "Fitted":
        """The way back for a shape that has become `dims` meanwhile.

        The last axis may have another size, if it is one axis and not several
        that lie together. Raises `PatternError`.
        """
        sizes = dict(self.sizes)
        last = self.pattern.right[-1]
        if len(last) == 1 and len(dims) == len(self.dims):
            sizes[last[0]] = dims[-1]
        back = Fitted(Pattern(self.pattern.right, self.pattern.left), sizes)
        if back._entering != dims:
            was, now = (" × ".join(map(str, one)) for one in (self.dims, dims))
            raise PatternError(
                f"{now} leaves, and {was} entered",
                f"end with `linear(dim)`, which gives {self.dims[-1]} again"
                if dims[:-1] == self.dims[:-1]
                else "keep the positions as they are inside",
            )
        return back

    @property
    def _entering(self) -> tuple[int, ...]:
        return tuple(
            prod(self.sizes[axis] for axis in group) for group in self.pattern.left
        )

    def __str__(self) -> str:
        """The pattern with no more sizes than are needed to fit it again."""
        left = (
            (group[0], *(f"{axis}={self.sizes[axis]}" for axis in group[1:]))
            for group in self.pattern.left
        )
        return f"{_side(left)} -> {_side(self.pattern.right)}"


def parse_pattern(text: str) -> Pattern:
    """The pattern that a text says. Raises `PatternError`."""
    if len(text) > _LONGEST:
        raise PatternError(f"it is longer than {_LONGEST} characters", "shorten it")
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
            raise PatternError(f"`{token}` is not expected there", _EXAMPLE)
        else:
            name, _, size = token.partition("=")
            if size:
                given.append((name.strip(), int(size)))
            if not is_open:
                sides[-1].append([])
            sides[-1][-1].append(name.strip())
    if is_open or len(sides) != 2:
        raise PatternError(
            "a bracket is not closed" if is_open else "it does not have two sides",
            _EXAMPLE,
        )
    left, right = (tuple(map(tuple, side)) for side in sides)
    _hold(left, right, given)
    return Pattern(left, right, tuple(given))


_EXAMPLE = "write it as `y x c -> c (y x)`: the axes before, and after"


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            rest = text[at:].strip()[:1]
            raise PatternError(f"`{rest}` cannot stand in a pattern", _EXAMPLE)
        yield found[1]
        at = found.end()


def _hold(left: Side, right: Side, given: list[tuple[str, int]]) -> None:
    """Every axis once on each side, and no shape of more axes than there are."""
    for side, word in ((left, "left"), (right, "right")):
        if not 0 < len(side) <= MOST_AXES:
            raise PatternError(
                f"the {word} side has {_count(side)}",
                f"a shape has 1 to {MOST_AXES} axes, with its channels",
            )
        axes = [axis for group in side for axis in group]
        twice = [axis for axis in axes if axes.count(axis) > 1]
        if twice:
            raise PatternError(
                f"`{twice[0]}` stands twice on the {word}", "name it once"
            )
        if () in side:
            raise PatternError("these brackets hold no axis", "remove them")
    names, others = ({axis for group in one for axis in group} for one in (left, right))
    if odd := sorted(names ^ others):
        only = "left" if odd[0] in names else "right"
        raise PatternError(
            f"`{odd[0]}` stands on the {only} side only", "name it on both sides"
        )
    for axis, size in given:
        if size == 0:
            raise PatternError(f"`{axis}` has the size 0", "give it at least 1")


def _solve(group: tuple[str, ...], size: int, sizes: dict[str, int]) -> None:
    """The size of the one axis of a group that is not known."""
    known = prod(sizes[axis] for axis in group if axis in sizes)
    unknown = [axis for axis in group if axis not in sizes]
    if len(unknown) > 1:
        raise PatternError(
            f"{size} is made of {' and '.join(f'`{one}`' for one in unknown)}",
            f"say how long one of them is, such as `{unknown[-1]} = 2`",
        )
    if not unknown and known != size:
        raise PatternError(
            f"`{group[0]}` is {known} here, and {size} enters",
            "leave its size out" if len(group) == 1 else "change one of the sizes",
        )
    if size % known:
        raise PatternError(
            f"{size} = {size // known} · {known} + {size % known}",
            f"take sizes that divide {size}",
        )
    if unknown:
        sizes[unknown[0]] = size // known


@lru_cache(maxsize=8)  # a model of many blocks asks for few, and each is long
def _sources(split: tuple[int, ...], order: tuple[int, ...]) -> list[int]:
    strides = [prod(split[place + 1 :]) for place in range(len(split))]
    found = [0]
    for place in order:
        steps = range(0, strides[place] * split[place], strides[place])
        found = [at + step for at in found for step in steps]
    return found


def _side(groups: Iterable[Sequence[str]]) -> str:
    return " ".join(
        group[0] if len(group) == 1 else f"({' '.join(group)})" for group in groups
    )


def _count(side: Side) -> str:
    return "1 axis" if len(side) == 1 else f"{len(side)} axes"
