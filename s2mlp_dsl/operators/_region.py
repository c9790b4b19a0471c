"""The contract of a region: two operators around a body.

A region computes nothing itself. It says which operator prepares the input of its body,
and which one undoes that afterwards, so that passes only see operators.
"""

from collections.abc import Mapping
from typing import NamedTuple, Self

from s2mlp_dsl.ir.program import Value
from s2mlp_dsl.ir.shape import Shape
from s2mlp_dsl.operators._definition import Definition


class Step(NamedTuple):
    """An operator with all its arguments."""

    operator: str
    args: Mapping[str, Value]


class Region(Definition):
    """A statement with a body."""

    def on(self, x: Shape) -> Self:
        """The same region on another shape."""
        return type(self)(x, self.args)

    needed = ("summary", "paper", "example", "enter", "leave")

    def canonical_args(self) -> Mapping[str, Value]:
        """The arguments as the IR keeps them. Raises `Refusal`."""
        return self.args

    def enter(self) -> Step:
        """The operator before the body. Raises `Refusal`."""
        raise NotImplementedError

    def leave(self, result: Shape) -> Step:
        """The operator after a body with this result. Raises `Refusal`."""
        raise NotImplementedError
