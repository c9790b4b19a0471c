"""What stands at the top of a file, what stands in it alone, and the file."""

from dataclasses import dataclass, field

from s2mlp_dsl.frontend.tree.expressions import Call, Expr, ListExpr, Name, Number, Text
from s2mlp_dsl.frontend.tree.shifts import ShiftItem
from s2mlp_dsl.frontend.tree.statements import Body
from s2mlp_dsl.source import Source, Span


@dataclass(frozen=True, slots=True)
class Param:
    """`name`, `name = default` or `name: kind = default`."""

    span: Span
    name: Name
    kind: Name | None
    default: Expr | None


@dataclass(frozen=True, slots=True)
class Edition:
    """`edition 1`"""

    span: Span
    number: Number


@dataclass(frozen=True, slots=True)
class Imported:
    """A name that an import takes, and what it is called here."""

    name: Name
    alias: Name | None

    @property
    def local(self) -> Name:
        return self.alias or self.name


@dataclass(frozen=True, slots=True)
class Import:
    """`import a, b as c from "file.arch"`"""

    span: Span
    names: tuple[Imported, ...]
    origin: Text


@dataclass(frozen=True, slots=True)
class Let:
    """`let name = value`"""

    span: Span
    name: Name
    value: Expr
    doc: str | None = None


@dataclass(frozen=True, slots=True)
class Shift:
    """`shift name(params) { … }`"""

    span: Span
    name: Name
    params: tuple[Param, ...]
    items: tuple[ShiftItem, ...]
    doc: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """`block name(params) { … }`"""

    span: Span
    name: Name
    params: tuple[Param, ...]
    body: Body
    doc: str | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """`model name(params) { … }`"""

    span: Span
    name: Name
    params: tuple[Param, ...]
    body: Body
    doc: str | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """`model b = a(classes = 10)`."""

    span: Span
    name: Name
    base: Call
    doc: str | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """A claimed fact; `about` is the right side of `~=`, `within` its tolerance."""

    span: Span
    expression: Expr
    about: Expr | None = None
    within: Expr | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """`claim model { … }`"""

    span: Span
    model: Name
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """`key = value` in a recipe or a study."""

    span: Span
    name: Name
    value: Expr


@dataclass(frozen=True, slots=True)
class Recipe:
    """`recipe name { … }`"""

    span: Span
    name: Name
    settings: tuple[Setting, ...]
    doc: str | None = None


@dataclass(frozen=True, slots=True)
class Vary:
    """`vary key = [ … ]`"""

    span: Span
    name: Name
    values: Expr


@dataclass(frozen=True, slots=True)
class Case:
    """`case "(a)" model(args) printed [87.1, 97.1]`"""

    span: Span
    title: Text
    model: Call
    printed: ListExpr | None


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment, from its `#` to the end of the line."""

    span: Span


ANY_NAME = "*"


@dataclass(frozen=True, slots=True)
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
