"""The syntax tree: what was written, before anything is looked up.

Every node carries its span. Lexemes are kept (`51M` stays `51M`), and nothing
is evaluated here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, TypeVar, dataclass_transform

from s2mlp_dsl.source import Source, Span

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def node(kind: type[T]) -> type[T]:
    """A dataclass that shares what it needs for `==`, `hash` and `repr`.

    `dataclass` would write and compile these for each of the forty kinds below, in
    every process that reads a spec. For the same reason that nodes are frozen is
    held by the type checker, which is told so, and not by methods of each kind.
    """
    for name, method in (("__eq__", _same), ("__hash__", _hash), ("__repr__", _shown)):
        setattr(kind, name, method)
    return dataclass(eq=False, repr=False)(kind)


def _content(one: Any) -> tuple[Any, ...]:
    return tuple(getattr(one, part.name) for part in fields(one) if part.compare)


def _same(one: Any, other: object) -> Any:
    if type(one) is not type(other):
        return NotImplemented
    return _content(one) == _content(other)


def _hash(one: Any) -> int:
    return hash(_content(one))


def _shown(one: Any) -> str:
    parts = [f"{f.name}={getattr(one, f.name)!r}" for f in fields(one) if f.repr]
    return f"{type(one).__name__}({', '.join(parts)})"


# --- expressions -----------------------------------------------------------
#
# `depth` is the number of expressions inside one another. The builder bounds
# it, so whoever walks an expression may do so by recursion.


@node
class Name:
    """A word that stands for something: `dim`, `cross`."""

    span: Span
    id: str
    depth: ClassVar[int] = 1


@node
class Number:
    """A number as it was written: `51M`, `1e-5`, `5%`."""

    span: Span
    lexeme: str
    depth: ClassVar[int] = 1


@node
class Text:
    """A text in quotes, without them."""

    span: Span
    value: str
    depth: ClassVar[int] = 1


@node
class Argument:
    """`value`, or `name = value`, in the brackets of a call."""

    span: Span
    name: Name | None
    value: "Expr"


@node
class Call:
    """`f(x, y = z)`, or `f` where an operation is expected."""

    span: Span
    name: Name
    arguments: tuple[Argument, ...]
    depth: int = field(default=1, compare=False, repr=False)


@node
class ListExpr:
    """`[a, b]`"""

    span: Span
    items: tuple["Expr", ...]
    depth: int = field(default=1, compare=False, repr=False)


@node
class Negative:
    """`-a`"""

    span: Span
    operand: "Expr"
    depth: int = field(default=1, compare=False, repr=False)


@node
class Binary:
    """`a + b`, `a == b`: two operands and the sign between them."""

    span: Span
    operator: str
    left: "Expr"
    right: "Expr"
    depth: int = field(default=1, compare=False, repr=False)


@node
class Index:
    """`list[i]`"""

    span: Span
    base: "Expr"
    index: "Expr"
    depth: int = field(default=1, compare=False, repr=False)


@node
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


# --- statements --------------------------------------------------------------


@node
class Operation:
    """A call in statement position: a block or an operator."""

    span: Span
    call: Call
    label: Name | None = None


@node
class Residual:
    """`residual { … }`"""

    span: Span
    body: "Body"
    label: Name | None = None


@node
class Scope:
    """A call with a body: `fold("y x c -> c (y x)") { … }`."""

    span: Span
    call: Call
    body: "Body"
    label: Name | None = None


@node
class Parallel:
    """`parallel(split, fuse = sum) { branch { … } branch { … } }`."""

    span: Span
    call: Call
    branches: tuple["Body", ...]
    label: Name | None = None


@node
class Part:
    """So many iterations of a body."""

    span: Span
    count: Expr
    body: "Body"


@node
class Stack:
    """Bodies in a row: `stack n as i { … } then m { … }`, counted through."""

    span: Span
    index: Name | None
    parts: tuple[Part, ...]
    label: Name | None = None


Statement = Operation | Scope | Residual | Parallel | Stack


def bodies(statement: Statement) -> "tuple[Body, ...]":
    """The bodies that a statement holds, in order."""
    match statement:
        case Operation():
            return ()
        case Residual(_, body) | Scope(_, _, body):
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


@node
class Body:
    """The statements between two braces."""

    span: Span
    statements: tuple[Statement, ...]


# --- shifts ------------------------------------------------------------------


@node
class EdgeRule:
    """`edge keep`"""

    span: Span
    rule: Name


@node
class Move:
    """A direction and how far; an omitted amount is 1."""

    span: Span
    direction: str
    amount: Expr | None


@node
class ChannelGroup:
    """A share of the channels (None: the rest) and where it goes (none: stay)."""

    span: Span
    share: Expr | None
    moves: tuple[Move, ...]


@node
class Range:
    """`right -2 .. 2`, or `right [0, 1, -1]`: without `last`, a list."""

    span: Span
    direction: str
    first: Expr
    last: Expr | None


@node
class Each:
    """Equal groups, one per displacement of the product of the ranges."""

    span: Span
    ranges: tuple[Range, ...]


@node
class Interleave:
    """`interleave`: channels take turns."""

    span: Span


ShiftItem = EdgeRule | ChannelGroup | Each | Interleave


# --- declarations ------------------------------------------------------------


@node
class Param:
    """`name`, `name = default` or `name: kind = default`."""

    span: Span
    name: Name
    kind: Name | None
    default: Expr | None


@node
class Edition:
    """`edition 1`"""

    span: Span
    number: Number


@node
class Imported:
    """A name that an import takes, and what it is called here."""

    name: Name
    alias: Name | None

    @property
    def local(self) -> Name:
        return self.alias or self.name


@node
class Import:
    """`import a, b as c from "file.arch"`"""

    span: Span
    names: tuple[Imported, ...]
    origin: Text


@node
class Let:
    """`let name = value`"""

    span: Span
    name: Name
    value: Expr
    doc: str | None = None


@node
class Shift:
    """`shift name(params) { … }`"""

    span: Span
    name: Name
    params: tuple[Param, ...]
    items: tuple[ShiftItem, ...]
    doc: str | None = None


@node
class Block:
    """`block name(params) { … }`"""

    span: Span
    name: Name
    params: tuple[Param, ...]
    body: Body
    doc: str | None = None


@node
class Model:
    """`model name(params) { … }`"""

    span: Span
    name: Name
    params: tuple[Param, ...]
    body: Body
    doc: str | None = None


@node
class Variant:
    """`model b = a(classes = 10)`."""

    span: Span
    name: Name
    base: Call
    doc: str | None = None


@node
class Fact:
    """A claimed fact; `about` is the right side of `~=`, `within` its tolerance."""

    span: Span
    expression: Expr
    about: Expr | None = None
    within: Expr | None = None


@node
class Claim:
    """`claim model { … }`"""

    span: Span
    model: Name
    facts: tuple[Fact, ...]


@node
class Setting:
    """`key = value` in a recipe or a study."""

    span: Span
    name: Name
    value: Expr


@node
class Recipe:
    """`recipe name { … }`"""

    span: Span
    name: Name
    settings: tuple[Setting, ...]
    doc: str | None = None


@node
class Vary:
    """`vary key = [ … ]`"""

    span: Span
    name: Name
    values: Expr


@node
class Case:
    """`case "(a)" model(args) printed [87.1, 97.1]`"""

    span: Span
    title: Text
    model: Call
    printed: ListExpr | None


@node
class Study:
    """`study name of model { … }`"""

    span: Span
    name: Name
    of: Name | None
    items: tuple[Setting | Vary | Case, ...]
    doc: str | None = None


Declaration = (
    Edition | Import | Let | Shift | Block | Model | Variant | Claim | Recipe | Study
)


@node
class Comment:
    """A comment, from its `#` to the end of the line."""

    span: Span


ANY_NAME = "*"


@node
class File:
    """A parsed file.

    `damaged` holds the spans of text that did not parse. A declaration that
    overlaps one is known by name but not looked into, and so is every word in
    `lost`, which damaged text may have declared: one cause, one message. A
    damaged import may have brought `ANY_NAME`.
    """

    source: Source
    declarations: tuple[Declaration, ...]
    comments: tuple[Comment, ...] = ()
    damaged: tuple[Span, ...] = ()
    lost: frozenset[str] = field(default_factory=frozenset)
