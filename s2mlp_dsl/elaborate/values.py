"""What expressions of a spec evaluate to, and where values are written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from s2mlp_dsl.elaborate.files import Declared, Unit
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.source import Span


class EnumValue(str):
    """A bare word that an operator or a recipe knows, such as `layer`."""

    __slots__ = ()


class String(str):
    """A string in quotes."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ShiftRef:
    """A declared shift with its arguments, not yet applied to channels.

    `origins` are the places of its arguments in the source.
    """

    declared: Declared
    arguments: tuple[tuple[str, "Value"], ...]
    origins: Mapping[str, Span] = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class BlockArgument:
    """A call for `apply` to run; None is `none`, the identity.

    `env` is the environment that its arguments are evaluated in: that of the place
    where it is written, without its `dim`.
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

    `values` has parameters and indices; `dim` is the number of input channels of the
    nearest braces, None where there are none. `origins` are the places where the values
    of parameters are written.
    """

    unit: Unit
    values: dict[str, Value]
    dim: int | None = None
    origins: dict[str, Span] = field(default_factory=dict)

    def inner(self, dim: int, index: str | None = None, number: int = 0) -> "Env":
        """The environment inside braces, with the index of an iteration."""
        values = self.values if index is None else {**self.values, index: number}
        return replace(self, values=values, dim=dim)


def kind_of(value: Value) -> str:
    """The kind of a value, as a parameter's annotation has it."""
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
    return "boolean" if isinstance(value, bool) else "number"


def with_article(kind: str) -> str:
    """`a number`, `an enum`."""
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


_ITEMS_SHOWN = 6


def show(value: Value) -> str:
    """A value as a spec would write it; long lists are cut."""
    if isinstance(value, ShiftRef):
        return value.declared.declaration.name.id
    if isinstance(value, BlockArgument):
        return "none" if value.call is None else value.call.span.text
    if isinstance(value, tuple):
        cut = ", …" if len(value) > _ITEMS_SHOWN else ""
        return f"[{', '.join(map(show, value[:_ITEMS_SHOWN]))}{cut}]"
    return f'"{value}"' if isinstance(value, String) else str(value)


def names_in(expression: tree.Expr) -> dict[str, Span]:
    """Every name that an expression reads, with its first place."""
    found: dict[str, Span] = {}
    for node in tree.within(expression):
        if isinstance(node, tree.Name):
            found.setdefault(node.id, node.span)
    return found


@dataclass(frozen=True, slots=True)
class Traced(Span):
    """The span of a statement, with the expression it evaluates and where."""

    node: tree.Expr = field(compare=False)
    env: Env = field(compare=False)

    def reads(self) -> Iterator[tuple[str, str, Span | None]]:
        """Each name that is read: its value or expression, and the place of that.

        The place is None for `dim` and for the index of a stack.
        """
        for name in names_in(self.node):
            if name in self.env.values:
                value = show(self.env.values[name])
                yield name, value, self.env.origins.get(name)
            elif name == "dim" and self.env.dim is not None:
                yield name, str(self.env.dim), None
            elif (let := self.env.unit.constant(name)) is not None:
                yield name, let.value.span.text, let.value.span


def traced(span: Span, node: tree.Expr, env: Env) -> Span:
    return Traced(span.source, span.start, span.end, node, env)


def origin_of(node: tree.Expr, env: Env) -> Span:
    """Where the value of an argument is written: a name leads to its own value."""
    if not isinstance(node, tree.Name):
        return node.span
    if node.id in env.origins:
        return env.origins[node.id]
    let = env.unit.constant(node.id)
    return node.span if let is None else let.value.span
