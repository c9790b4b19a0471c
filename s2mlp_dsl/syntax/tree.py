"""The syntax tree: what was written, before anything is looked up.

Every node carries its span. Lexemes are kept (`51M` stays `51M`), and nothing
is evaluated here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from s2mlp_dsl.source import Source, Span

# --- expressions -----------------------------------------------------------
#
# `depth` is the number of expressions inside one another. The builder bounds
# it, so whoever walks an expression may do so by recursion.


@dataclass(frozen=True)
class Name:
    """A word that stands for something: `dim`, `cross`."""

    span: Span
    id: str
    depth: ClassVar[int] = 1


@dataclass(frozen=True)
class Number:
    """A number as it was written: `51M`, `1e-5`, `5%`."""

    span: Span
    lexeme: str
    depth: ClassVar[int] = 1


@dataclass(frozen=True)
class Text:
    """A text in quotes, without them."""

    span: Span
    value: str
    depth: ClassVar[int] = 1


@dataclass(frozen=True)
class Argument:
    """`value`, or `name = value`, in the brackets of a call."""

    span: Span
    name: Name | None
    value: "Expr"


@dataclass(frozen=True)
class Call:
    """`f(x, y = z)`, or `f` where an operation is expected."""

    span: Span
    name: Name
    arguments: tuple[Argument, ...]
    depth: int = field(default=1, compare=False, repr=False)


@dataclass(frozen=True)
class ListExpr:
    """`[a, b]`"""

    span: Span
    items: tuple["Expr", ...]
    depth: int = field(default=1, compare=False, repr=False)


@dataclass(frozen=True)
class Negative:
    """`-a`"""

    span: Span
    operand: "Expr"
    depth: int = field(default=1, compare=False, repr=False)


@dataclass(frozen=True)
class Binary:
    """`a + b`, `a == b`: two operands and the sign between them."""

    span: Span
    operator: str
    left: "Expr"
    right: "Expr"
    depth: int = field(default=1, compare=False, repr=False)


@dataclass(frozen=True)
class Index:
    """`list[i]`"""

    span: Span
    base: "Expr"
    index: "Expr"
    depth: int = field(default=1, compare=False, repr=False)


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class Operation:
    """A call in statement position: a block or an operator."""

    span: Span
    call: Call
    label: Name | None = None


@dataclass(frozen=True)
class Residual:
    """`residual { … }`"""

    span: Span
    body: "Body"
    label: Name | None = None


@dataclass(frozen=True)
class Scope:
    """A call with a body: `fold("y x c -> c (y x)") { … }`."""

    span: Span
    call: Call
    body: "Body"
    label: Name | None = None


@dataclass(frozen=True)
class Parallel:
    """`parallel(split, fuse = sum) { branch { … } branch { … } }`."""

    span: Span
    call: Call
    branches: tuple["Body", ...]
    label: Name | None = None


@dataclass(frozen=True)
class Part:
    """So many iterations of a body."""

    span: Span
    count: Expr
    body: "Body"


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class Body:
    """The statements between two braces."""

    span: Span
    statements: tuple[Statement, ...]


# --- shifts ------------------------------------------------------------------


@dataclass(frozen=True)
class EdgeRule:
    """`edge keep`"""

    span: Span
    rule: Name


@dataclass(frozen=True)
class Move:
    """A direction and how far; an omitted amount is 1."""

    span: Span
    direction: str
    amount: Expr | None


@dataclass(frozen=True)
class ChannelGroup:
    """A share of the channels (None: the rest) and where it goes (none: stay)."""

    span: Span
    share: Expr | None
    moves: tuple[Move, ...]


@dataclass(frozen=True)
class Range:
    """`right -2 .. 2`, or `right [0, 1, -1]`: without `last`, a list."""

    span: Span
    direction: str
    first: Expr
    last: Expr | None


@dataclass(frozen=True)
class Each:
    """Equal groups, one per displacement of the product of the ranges."""

    span: Span
    ranges: tuple[Range, ...]


@dataclass(frozen=True)
class Interleave:
    """`interleave`: channels take turns."""

    span: Span


ShiftItem = EdgeRule | ChannelGroup | Each | Interleave


# --- declarations ------------------------------------------------------------


@dataclass(frozen=True)
class Param:
    """`name`, `name = default` or `name: kind = default`."""

    span: Span
    name: Name
    kind: Name | None
    default: Expr | None


@dataclass(frozen=True)
class Edition:
    """`edition 1`"""

    span: Span
    number: Number


@dataclass(frozen=True)
class Imported:
    """A name that an import takes, and what it is called here."""

    name: Name
    alias: Name | None

    @property
    def local(self) -> Name:
        return self.alias or self.name


@dataclass(frozen=True)
class Import:
    """`import a, b as c from "file.arch"`"""

    span: Span
    names: tuple[Imported, ...]
    origin: Text


@dataclass(frozen=True)
class Let:
    """`let name = value`"""

    span: Span
    name: Name
    value: Expr
    doc: str | None = None


@dataclass(frozen=True)
class Shift:
    """`shift name(params) { … }`"""

    span: Span
    name: Name
    params: tuple[Param, ...]
    items: tuple[ShiftItem, ...]
    doc: str | None = None


@dataclass(frozen=True)
class Block:
    """`block name(params) { … }`"""

    span: Span
    name: Name
    params: tuple[Param, ...]
    body: Body
    doc: str | None = None


@dataclass(frozen=True)
class Model:
    """`model name(params) { … }`"""

    span: Span
    name: Name
    params: tuple[Param, ...]
    body: Body
    doc: str | None = None


@dataclass(frozen=True)
class Variant:
    """`model b = a(classes = 10)`."""

    span: Span
    name: Name
    base: Call
    doc: str | None = None


@dataclass(frozen=True)
class Fact:
    """A claimed fact; `about` is the right side of `~=`, `within` its tolerance."""

    span: Span
    expression: Expr
    about: Expr | None = None
    within: Expr | None = None


@dataclass(frozen=True)
class Claim:
    """`claim model { … }`"""

    span: Span
    model: Name
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Setting:
    """`key = value` in a recipe or a study."""

    span: Span
    name: Name
    value: Expr


@dataclass(frozen=True)
class Recipe:
    """`recipe name { … }`"""

    span: Span
    name: Name
    settings: tuple[Setting, ...]
    doc: str | None = None


@dataclass(frozen=True)
class Vary:
    """`vary key = [ … ]`"""

    span: Span
    name: Name
    values: Expr


@dataclass(frozen=True)
class Case:
    """`case "(a)" model(args) printed [87.1, 97.1]`"""

    span: Span
    title: Text
    model: Call
    printed: ListExpr | None


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class Comment:
    """A comment, from its `#` to the end of the line."""

    span: Span


ANY_NAME = "*"


@dataclass(frozen=True)
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
