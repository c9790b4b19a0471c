"""Expressions, as they were written.

`depth` is the number of expressions inside one another. The builder bounds it, so
whoever walks an expression may do so by recursion.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from s2mlp_dsl.source import Span


@dataclass(frozen=True, slots=True)
class Name:
    """A word that stands for something: `dim`, `cross`."""

    span: Span
    id: str
    depth: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written: `51M`, `1e-5`, `5%`."""

    span: Span
    lexeme: str
    depth: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class Text:
    """A text in quotes, without them."""

    span: Span
    value: str
    depth: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class Argument:
    """`value`, or `name = value`, in the brackets of a call."""

    span: Span
    name: Name | None
    value: "Expr"


@dataclass(frozen=True, slots=True)
class Call:
    """`f(x, y = z)`, or `f` where an operation is expected."""

    span: Span
    name: Name
    arguments: tuple[Argument, ...]
    depth: int = field(default=1, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ListExpr:
    """`[a, b]`"""

    span: Span
    items: tuple["Expr", ...]
    depth: int = field(default=1, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Negative:
    """`-a`"""

    span: Span
    operand: "Expr"
    depth: int = field(default=1, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """`a + b`, `a == b`: two operands and the sign between them."""

    span: Span
    operator: str
    left: "Expr"
    right: "Expr"
    depth: int = field(default=1, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Index:
    """`list[i]`"""

    span: Span
    base: "Expr"
    index: "Expr"
    depth: int = field(default=1, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Group:
    """A parenthesised expression, kept so that printing gives it back."""

    span: Span
    inner: "Expr"
    depth: int = field(default=1, compare=False, repr=False)


Expr = Name | Number | Text | Call | ListExpr | Negative | Binary | Index | Group


def parts(expression: Expr) -> tuple[Expr, ...]:
    """The expressions directly inside one."""
    match expression:
        case Name() | Number() | Text():
            return ()
        case Call(_, _, arguments):
            return tuple(argument.value for argument in arguments)
        case ListExpr(_, items):
            return items
        case Negative(_, inner) | Group(_, inner):
            return (inner,)
        case Binary(_, _, left, right):
            return (left, right)
        case Index(_, base, index):
            return (base, index)


def within(expression: Expr) -> Iterator[Expr]:
    """An expression and everything inside it, from left to right."""
    todo = [expression]
    while todo:
        node = todo.pop()
        yield node
        todo += reversed(parts(node))
