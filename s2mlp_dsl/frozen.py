"""Frozen records of the front end. This file imports nothing of ours.

`dataclass(frozen=True)` writes and compiles eight methods for each class, in every
process that reads a spec: 7 % of a whole `check`. These compile one, `__init__`, and
share the others; that nobody assigns to a field is held by the type checker,
which is told so, and not by methods of each class.
"""

from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(kind: type[T]) -> type[T]:
    """A dataclass that is not changed once it is made, compared by its content."""
    made: Any = dataclass(eq=False, repr=False)(kind)
    compared = [one.name for one in fields(made) if one.compare]
    made._content = staticmethod(attrgetter(*compared) if compared else _nothing)
    made.__eq__, made.__hash__ = _same, _hash
    if kind.__repr__ in (object.__repr__, _shown):  # it has none of its own
        made.__repr__ = _shown
    return kind


def _nothing(one: Any) -> None:
    """The content of a record without fields."""


def _same(one: Any, other: Any) -> Any:
    if type(one) is not type(other):
        return NotImplemented
    return one._content(one) == one._content(other)


def _hash(one: Any) -> int:
    return hash(one._content(one))


def _shown(one: Any) -> str:
    parts = [f"{f.name}={getattr(one, f.name)!r}" for f in fields(one) if f.repr]
    return f"{type(one).__name__}({', '.join(parts)})"
