"""What expressions of a spec evaluate to."""

from dataclasses import dataclass, field
from fractions import Fraction

from s2mlp_dsl.elaborate.files import Declared, Unit
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.source import Span


class EnumValue(str):
    """A bare word that an operator or a recipe knows, such as `layer`."""

    __slots__ = ()


class String(str):
    """A text in quotes."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ShiftRef:
    """A declared shift with its arguments, not yet applied to channels."""

    declared: Declared
    arguments: tuple[tuple[str, "Value"], ...]


@dataclass(frozen=True, slots=True)
class BlockArgument:
    """A closed call, to be run by `apply`; None is `none`, which does nothing.

    `env` is where its arguments are evaluated: the place that wrote it, without
    its `dim`.
    """

    call: tree.Call | None
    env: "Env"


Value = (
    int
    | Fraction
    | bool
    | EnumValue
    | String
    | ShiftRef
    | BlockArgument
    | tuple["Value", ...]
)


@dataclass(eq=False, repr=False)
class Env:
    """What names mean at a place.

    `values` holds parameters and indices; `dim` is the number of channels that
    enter the nearest brace, None where there is none. `origins` says where the
    values of parameters are written.
    """

    unit: Unit
    values: dict[str, Value]
    dim: int | None = None
    origins: dict[str, Span] = field(default_factory=dict)

    def inner(self, dim: int, index: str | None = None, number: int = 0) -> "Env":
        """The same names inside a brace, and the index of an iteration."""
        values = self.values if index is None else {**self.values, index: number}
        return Env(self.unit, values, dim, self.origins)


def kind_of(value: Value) -> str:
    """The kind of a value, in the words of a parameter's annotation."""
    if isinstance(value, EnumValue):
        return "enum"
    if isinstance(value, String):
        return "string"
    if isinstance(value, ShiftRef):
        return "shift"
    if isinstance(value, BlockArgument):
        return "block"
    if isinstance(value, tuple):
        return "list"
    return "truth value" if isinstance(value, bool) else "number"


_ITEMS_SHOWN = 6


def show(value: Value) -> str:
    """A value as a spec would write it, long lists cut."""
    if isinstance(value, ShiftRef):
        return value.declared.declaration.name.id
    if isinstance(value, BlockArgument):
        return "none" if value.call is None else value.call.span.text
    if isinstance(value, tuple):
        cut = ", …" if len(value) > _ITEMS_SHOWN else ""
        return f"[{', '.join(show(one) for one in value[:_ITEMS_SHOWN])}{cut}]"
    return f'"{value}"' if isinstance(value, String) else str(value)


def words_in(expression: tree.Expr) -> dict[str, Span]:
    """Every name that an expression reads, with where it stands first."""
    found: dict[str, Span] = {}
    for node in tree.within(expression):
        if isinstance(node, tree.Name):
            found.setdefault(node.id, node.span)
    return found
