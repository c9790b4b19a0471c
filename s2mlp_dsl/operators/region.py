"""The contract of a scope: two operators around a body.

A scope computes nothing itself. It says which operator prepares what enters,
and which takes that back from what the body leaves, so that every pass knows
operators alone.
"""

from typing import ClassVar, NamedTuple

from s2mlp_dsl.ir.program import Value
from s2mlp_dsl.ir.shape import Shape
from s2mlp_dsl.operators.base import Args, Parameter


class Step(NamedTuple):
    """An operator with all its arguments."""

    operator: str
    args: dict[str, Value]


class Region:
    """A fact sheet. `x` is the shape that enters, `a` the resolved arguments."""

    name: ClassVar[str]
    summary: ClassVar[str]
    paper: ClassVar[str]
    parameters: ClassVar[tuple[Parameter, ...]]
    example: ClassVar[str]  # the statement without its body

    def settle(self, x: Shape, a: Args) -> Args:
        """The arguments as the IR keeps them. Raises `Refusal`."""
        return a

    def enter(self, x: Shape, a: Args) -> Step:
        """What happens before the body."""
        raise NotImplementedError

    def leave(self, x: Shape, a: Args, after: Shape) -> Step:
        """What happens after the body, which leaves `after`. Raises `Refusal`."""
        raise NotImplementedError
