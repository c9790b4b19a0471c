"""What stands in the braces of a shift."""

from dataclasses import dataclass

from s2mlp_dsl.frontend.tree.expressions import Expr, Name
from s2mlp_dsl.source import Span


@dataclass(frozen=True, slots=True)
class EdgeRule:
    """`edge keep`"""

    span: Span
    rule: Name


@dataclass(frozen=True, slots=True)
class Move:
    """A direction and how far; an omitted amount is 1."""

    span: Span
    direction: str
    amount: Expr | None


@dataclass(frozen=True, slots=True)
class ChannelGroup:
    """A share of the channels (None: the rest) and where it goes (none: stay)."""

    span: Span
    share: Expr | None
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """`right -2 .. 2`, or `right [0, 1, -1]`: without `last`, a list."""

    span: Span
    direction: str
    first: Expr
    last: Expr | None


@dataclass(frozen=True, slots=True)
class Each:
    """Equal groups, one per displacement of the product of the ranges."""

    span: Span
    ranges: tuple[Range, ...]


@dataclass(frozen=True, slots=True)
class Interleave:
    """`interleave`: channels take turns."""

    span: Span


ShiftItem = EdgeRule | ChannelGroup | Each | Interleave
