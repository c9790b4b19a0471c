"""The statements of blocks and models, and the bodies that they stand in."""

from dataclasses import dataclass

from s2mlp_dsl.frontend.tree.expressions import Call, Expr, Name
from s2mlp_dsl.source import Span


@dataclass(frozen=True, slots=True)
class Operation:
    """A call in statement position: a block or an operator."""

    span: Span
    call: Call
    label: Name | None = None


@dataclass(frozen=True, slots=True)
class Residual:
    """`residual { … }`"""

    span: Span
    body: "Body"
    label: Name | None = None


@dataclass(frozen=True, slots=True)
class Region:
    """A call with a body: `fold("y x c -> c (y x)") { … }`."""

    span: Span
    call: Call
    body: "Body"
    label: Name | None = None


@dataclass(frozen=True, slots=True)
class Parallel:
    """`parallel(split, merge = sum) { branch { … } branch { … } }`."""

    span: Span
    call: Call
    branches: tuple["Body", ...]
    label: Name | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """So many iterations of a body."""

    span: Span
    count: Expr
    body: "Body"


@dataclass(frozen=True, slots=True)
class Stack:
    """Bodies in a row: `stack n as i { … } then m { … }`, counted through."""

    span: Span
    index: Name | None
    parts: tuple[Part, ...]
    label: Name | None = None


Statement = Operation | Region | Residual | Parallel | Stack


def bodies(statement: Statement) -> "tuple[Body, ...]":
    """The bodies that a statement holds, in order."""
    match statement:
        case Operation():
            return ()
        case Residual(_, body) | Region(_, _, body):
            return (body,)
        case Parallel(_, _, branches):
            return branches
        case Stack(_, _, parts):
            return tuple(part.body for part in parts)


def head(statement: Statement) -> Span:
    """What stands before the first body of a statement, where its carets go."""
    span = statement.span
    inside = bodies(statement)
    if not inside:
        return span
    end = span.source.text.rfind("{", span.start, inside[0].span.start + 1)
    while span.source.text[end - 1].isspace():
        end -= 1
    return Span(span.source, span.start, end)


@dataclass(frozen=True, slots=True)
class Body:
    """The statements between two braces."""

    span: Span
    statements: tuple[Statement, ...]
