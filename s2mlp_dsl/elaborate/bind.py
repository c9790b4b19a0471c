"""Arguments meet parameters."""

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from s2mlp_dsl.diagnostics import Label, Poisoned, Report
from s2mlp_dsl.elaborate import codes
from s2mlp_dsl.elaborate.files import Declared
from s2mlp_dsl.elaborate.suggest import did_you_mean
from s2mlp_dsl.elaborate.values import Env, ShiftRef, Value, Word, kind_of, show
from s2mlp_dsl.syntax import tree

if TYPE_CHECKING:
    from s2mlp_dsl.elaborate.evaluate import Evaluator

KINDS = ("number", "word", "shift", "list", "text")
NO_SHIFT = Word("none")

Bound = dict[str, Value]


def match_arguments(
    call: tree.Call, names: tuple[str, ...], report: Report
) -> dict[str, tree.Argument]:
    """Which argument is meant for which parameter, by position, then by name.

    Raises `Poisoned` after reporting every argument that fits nowhere.
    """
    matched: dict[str, tree.Argument] = {}
    faults = False
    for position, argument in enumerate(call.arguments):
        if argument.name is not None:
            name = argument.name.id
            if name not in names:
                report.add(
                    codes.UNKNOWN_ARGUMENT,
                    argument.name.span,
                    help=did_you_mean(name, names)
                    or f"`{call.name.id}` takes no arguments",
                )
                faults = True
                continue
        elif any(earlier.name for earlier in call.arguments[:position]):
            report.add(
                codes.POSITIONAL_LATE, argument.span, help="name it, or move it forward"
            )
            faults = True
            continue
        elif position >= len(names):
            report.add(
                codes.TOO_MANY,
                argument.span,
                f"`{call.name.id}` takes {_count(names)}",
            )
            raise Poisoned
        else:
            name = names[position]
        if name in matched:
            report.add(
                codes.GIVEN_TWICE,
                argument.span,
                f"`{name}`",
                secondary=[Label(matched[name].span, "first here")],
            )
            faults = True
            continue
        matched[name] = argument
    if faults:
        raise Poisoned
    return matched


def bind(
    evaluator: "Evaluator",
    call: tree.Call,
    params: tuple[tree.Param, ...],
    declared: Declared,
    env: Env,
    overrides: Mapping[str, tuple[tree.Expr, Env]] | None = None,
) -> Bound:
    """Values of all parameters: given, overridden, or by default.

    Arguments are evaluated where the call stands, defaults where the
    declaration stands, where they see the parameters before them.
    """
    names = tuple(param.name.id for param in params)
    given = {
        name: (argument.value, env)
        for name, argument in match_arguments(call, names, evaluator.report).items()
    }
    given.update(overrides or {})
    inside = Env(declared.unit, {})
    for param in params:
        name = param.name.id
        default = (
            _evaluate(evaluator, param.default, inside, None)
            if param.default is not None
            else None
        )
        kind = param_kind(param, default)
        if name in given:
            expression, where = given[name]
            value = _evaluate(evaluator, expression, where, kind)
            _check_kind(evaluator.report, kind, value, expression, param)
        elif default is not None:
            value = default
        else:
            raise evaluator.report.add(
                codes.MISSING,
                call.span,
                f"`{call.name.id}` needs `{name}`",
                secondary=[Label(param.span, "declared here without a default")],
                help=f"write `{name} = …` in the call",
            )
        inside.values[name] = value
    return inside.values


def param_kind(param: tree.Param, default: Value | None) -> str:
    """The annotation, else the kind of the default, else number."""
    if param.kind is not None:
        return param.kind.id
    return "number" if default is None else kind_of(default)


def _evaluate(
    evaluator: "Evaluator", expression: tree.Expr, env: Env, kind: str | None
) -> Value:
    """A value for a parameter; `kind` None is a default, which may be a word."""
    words: frozenset[str] = frozenset()
    if kind in ("shift", None):
        words |= {NO_SHIFT}
    if kind in ("word", None) and isinstance(expression, tree.Name):
        words |= {expression.id}
    return evaluator.value(expression, env, words)


def _check_kind(
    report: Report, kind: str, value: Value, at: tree.Expr, param: tree.Param
) -> None:
    fits = {
        "number": isinstance(value, int | Fraction) and not isinstance(value, bool),
        "shift": isinstance(value, ShiftRef) or value == NO_SHIFT,
    }.get(kind, kind_of(value) == kind)
    if not fits:
        raise report.add(
            codes.WRONG_KIND,
            at.span,
            f"{show(value)} is a {kind_of(value)}",
            secondary=[Label(param.span, f"`{param.name.id}` is a {kind}")],
        )


def _count(names: tuple[str, ...]) -> str:
    if not names:
        return "no arguments"
    plural = "s" if len(names) > 1 else ""
    return f"{len(names)} argument{plural}: {', '.join(names)}"
