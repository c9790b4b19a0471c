"""Expressions of the syntax tree; `tree.py` has the rest, and these names too.

An expression has a `depth`, the number of expressions inside one another. The builder
limits it, so whoever walks an expression may do so by recursion.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import ClassVar

from s2mlp_dsl.source import Span


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Node:
    """What was written at one place. Compared by identity: no two are the same text.

    To generate comparisons for each kind would take 5 ms of a start.
    """

    span: Span

    def __repr__(self) -> str:
        shown = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in fields(self)
            if field.repr
        ]
        return f"{type(self).__name__}({', '.join(shown)})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Leaf(Node):
    depth: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Nested(Node):
    depth: int = field(default=1, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Name(_Leaf):
    """A word that stands for something: `dim`, `cross`."""

    id: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Number(_Leaf):
    """A number as it was written: `51M`, `1e-5`, `5%`."""

    lexeme: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Text(_Leaf):
    """A string, without its quotes."""

    value: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Argument(Node):
    """`value`, or `name = value`, in the parentheses of a call."""

    name: Name | None
    value: "Expr"

    @property
    def depth(self) -> int:
        return self.value.depth


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Call(_Nested):
    """`f(x, y = z)`, or `f` where an operation is expected."""

    name: Name
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ListExpr(_Nested):
    """`[a, b]`"""

    items: tuple["Expr", ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Negative(_Nested):
    """`-a`"""

    operand: "Expr"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Binary(_Nested):
    """`a + b`, `a == b`: two operands and the operator between them."""

    operator: str
    left: "Expr"
    right: "Expr"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Index(_Nested):
    """`list[i]`"""

    base: "Expr"
    index: "Expr"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Group(_Nested):
    """An expression in parentheses, kept so that it is printed with them."""

    inner: "Expr"


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
