"""Where the values of an expanded statement came from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from s2mlp_dsl.diagnostics import Report
from s2mlp_dsl.elaborate.bind import match_arguments
from s2mlp_dsl.elaborate.files import Unit
from s2mlp_dsl.elaborate.values import Env, show, words_in
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.source import Span


@dataclass(frozen=True, slots=True)
class Traced(Span):
    """The span of a statement, with the expression it evaluates and where."""

    node: tree.Expr = field(compare=False)
    env: Env = field(compare=False)

    def reads(self) -> Iterator[tuple[str, str, Span | None]]:
        """Each name that is read: its value or expression, and where that stands.

        None stands for `dim` and for the index of a stack, which stand nowhere.
        """
        for name in words_in(self.node):
            declared = self.env.unit.names.get(name)
            if name in self.env.values:
                value = show(self.env.values[name])
                yield name, value, self.env.origins.get(name)
            elif name == "dim" and self.env.dim is not None:
                yield name, str(self.env.dim), None
            elif declared and isinstance(declared.declaration, tree.Let):
                expression = declared.declaration.value.span
                yield name, expression.text, expression


def traced(span: Span, node: tree.Expr, env: Env) -> Span:
    return Traced(span.source, span.start, span.end, node, env)


def origins_of(
    call: tree.Call,
    params: tuple[tree.Param, ...],
    declared: Unit,
    env: Env,
    overrides: Mapping[str, tuple[tree.Expr, Env]] | None = None,
) -> dict[str, Span]:
    """For each parameter, where its value is written.

    The call stands in `env`, the declaration with its defaults in `declared`.
    A name that is handed on leads to where its own value is written.
    """
    names = tuple(param.name.id for param in params)
    given = {
        name: (argument.value, env)
        for name, argument in match_arguments(call, names, Report()).items()
    }
    given.update(overrides or {})
    origins: dict[str, Span] = {}
    for param in params:
        name = param.name.id
        if name in given:
            origins[name] = _written(*given[name])
        elif param.default is not None:
            origins[name] = _written(param.default, Env(declared, {}, None, origins))
    return origins


def _written(node: tree.Expr, env: Env) -> Span:
    """Where a value is written: through names to what they stand for."""
    if not isinstance(node, tree.Name):
        return node.span
    declared = env.unit.names.get(node.id)
    if node.id in env.origins:
        return env.origins[node.id]
    if declared is not None and isinstance(declared.declaration, tree.Let):
        return declared.declaration.value.span
    return node.span
