"""The syntax tree: what was written, before any name is looked up.

Every node has its span. Lexemes are kept (`51M` stays `51M`), and nothing is evaluated
here.
"""

from dataclasses import dataclass, field

from s2mlp_dsl.frontend.expressions import Argument as Argument
from s2mlp_dsl.frontend.expressions import Binary as Binary
from s2mlp_dsl.frontend.expressions import Call as Call
from s2mlp_dsl.frontend.expressions import Expr as Expr
from s2mlp_dsl.frontend.expressions import Group as Group
from s2mlp_dsl.frontend.expressions import Index as Index
from s2mlp_dsl.frontend.expressions import ListExpr as ListExpr
from s2mlp_dsl.frontend.expressions import Name as Name
from s2mlp_dsl.frontend.expressions import Negative as Negative
from s2mlp_dsl.frontend.expressions import Node as Node
from s2mlp_dsl.frontend.expressions import Number as Number
from s2mlp_dsl.frontend.expressions import Text as Text
from s2mlp_dsl.frontend.expressions import parts as parts
from s2mlp_dsl.frontend.expressions import within as within
from s2mlp_dsl.source import Source, Span


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Labelled(Node):
    label: Name | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Documented(Node):
    doc: str | None = field(default=None, kw_only=True)


# Shifts.


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EdgeRule(Node):
    """`edge keep`"""

    rule: Name


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Move(Node):
    """A direction and how far; an omitted amount is 1."""

    direction: str
    amount: Expr | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ChannelGroup(Node):
    """A share of the channels (None: the rest) and where it goes (none: stay)."""

    share: Expr | None
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Range(Node):
    """`right -2 .. 2`, or `right [0, 1, -1]`: without `last`, a list."""

    direction: str
    first: Expr
    last: Expr | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Each(Node):
    """Equal groups, one per displacement of the product of the ranges."""

    ranges: tuple[Range, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Interleave(Node):
    """`interleave`: channels take turns."""


ShiftItem = EdgeRule | ChannelGroup | Each | Interleave


# Statements of blocks and models.


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Body(Node):
    """The statements between two braces."""

    statements: tuple["Statement", ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Operation(_Labelled):
    """A call in statement position: a block or an operator."""

    call: Call


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Residual(_Labelled):
    """`residual { … }`"""

    body: Body


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Region(_Labelled):
    """A call with a body: `fold("y x c -> c (y x)") { … }`."""

    call: Call
    body: Body


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Parallel(_Labelled):
    """`parallel(split, merge = sum) { branch { … } branch { … } }`."""

    call: Call
    branches: tuple[Body, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Part(Node):
    """So many iterations of a body."""

    count: Expr
    body: Body


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Stack(_Labelled):
    """Bodies in a row: `stack n as i { … } then m { … }`, counted through."""

    index: Name | None
    parts: tuple[Part, ...]


Statement = Operation | Region | Residual | Parallel | Stack


def bodies(statement: Statement) -> tuple[Body, ...]:
    """The bodies of a statement, in order."""
    match statement:
        case Operation():
            return ()
        case Residual(_, body) | Region(_, _, body):
            return (body,)
        case Parallel(_, _, branches):
            return branches
        case Stack(_, _, parts):
            return tuple(part.body for part in parts)


def expressions(statement: Statement) -> tuple[Expr, ...]:
    """The expressions directly in a statement, in order."""
    match statement:
        case Operation(_, call) | Region(_, call) | Parallel(_, call):
            return (call,)
        case Stack(_, _, parts):
            return tuple(part.count for part in parts)
        case Residual():
            return ()


def head(statement: Statement) -> Span:
    """A statement up to its first body, where its carets go."""
    span = statement.span
    inside = bodies(statement)
    if not inside:
        return span
    text = span.source.text
    end = text.rfind("{", span.start, inside[0].span.start + 1)
    return Span(span.source, span.start, len(text[:end].rstrip()))


# Declarations.


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Edition(Node):
    """`edition 1`"""

    number: Number


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Imported(Node):
    """`a`, or `a as b`: a name that an import takes, and what it is called here."""

    name: Name
    alias: Name | None

    @property
    def local(self) -> Name:
        return self.alias or self.name


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Import(Node):
    """`import a, b as c from "file.arch"`"""

    names: tuple[Imported, ...]
    origin: Text


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Param(Node):
    """`name`, `name = default` or `name: kind = default`."""

    name: Name
    kind: Name | None
    default: Expr | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Let(_Documented):
    """`let name = value`"""

    name: Name
    value: Expr


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Shift(_Documented):
    """`shift name(params) { … }`"""

    name: Name
    params: tuple[Param, ...]
    items: tuple[ShiftItem, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Block(_Documented):
    """`block name(params) { … }`"""

    name: Name
    params: tuple[Param, ...]
    body: Body


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Model(_Documented):
    """`model name(params) { … }`"""

    name: Name
    params: tuple[Param, ...]
    body: Body


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Variant(_Documented):
    """`model b = a(classes = 10)`."""

    name: Name
    base: Call


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Fact(Node):
    """A claimed fact; `about` is the right side of `~=`, `within` its tolerance."""

    expression: Expr
    about: Expr | None = None
    within: Expr | None = None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Claim(Node):
    """`claim model { … }`"""

    model: Name
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Setting(Node):
    """`key = value` in a recipe or a study."""

    name: Name
    value: Expr


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Recipe(_Documented):
    """`recipe name { … }`"""

    name: Name
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Vary(Node):
    """`vary key = [ … ]`"""

    name: Name
    values: Expr


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Case(Node):
    """`case "(a)" model(args) printed [87.1, 97.1]`"""

    title: Text
    model: Call
    printed: ListExpr | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Study(_Documented):
    """`study name of model { … }`"""

    name: Name
    of: Name | None
    items: tuple[Setting | Vary | Case, ...]


Declaration = (
    Edition | Import | Let | Shift | Block | Model | Variant | Claim | Recipe | Study
)

# Files.


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Comment(Node):
    """A comment, from its `#` to the end of the line."""


ANY_NAME = "*"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class File:
    """A parsed file.

    `damaged` are the spans of text that did not parse. A declaration that overlaps one
    is known by name only, and its inside is not looked at. So is every word in `lost`,
    which damaged text may have declared: one cause, one message. A damaged import may
    have brought `ANY_NAME`.
    """

    source: Source
    declarations: tuple[Declaration, ...]
    comments: tuple[Comment, ...] = ()
    damaged: tuple[Span, ...] = ()
    lost: frozenset[str] = frozenset()
