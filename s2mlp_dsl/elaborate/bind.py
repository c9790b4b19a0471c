"""Arguments meet parameters."""

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from s2mlp_dsl.diagnostics import AlreadyReported, Label, Report
from s2mlp_dsl.diagnostics.suggest import did_you_mean
from s2mlp_dsl.elaborate import codes
from s2mlp_dsl.elaborate.files import Declared
from s2mlp_dsl.elaborate.values import EnumValue, Env, ShiftRef, Value, kind_of, show
from s2mlp_dsl.frontend import tree

if TYPE_CHECKING:
    from s2mlp_dsl.elaborate.evaluate import Evaluator

KINDS = ("number", "enum", "shift", "list", "string", "block")
NO_SHIFT = EnumValue("none")

Bound = dict[str, Value]


def match_arguments(
    call: tree.Call, names: tuple[str, ...], report: Report
) -> dict[str, tree.Argument]:
    """Which argument is meant for which parameter, by position, then by name.

    Raises `AlreadyReported` after reporting every argument that fits nowhere.
    """
    matched: dict[str, tree.Argument] = {}
    faults = False
    named = False
    for position, argument in enumerate(call.arguments):
        if argument.name is not None:
            named = True
            name = argument.name.id
            if name not in names:
                report.add(
                    codes.UNKNOWN_ARGUMENT,
                    argument.name.span,
                    f"`{call.name.id}` takes {_count(names)}",
                    help=did_you_mean(name, names, few=0) or "remove it",
                )
                faults = True
                continue
        elif named:
            report.add(
                codes.POSITIONAL_LATE,
                argument.span,
                "it has no name, so only its position says what it is for",
                help="name it, or move it before the named ones",
            )
            faults = True
            continue
        elif position >= len(names):
            report.add(
                codes.TOO_MANY,
                argument.span,
                f"`{call.name.id}` takes {_count(names)}",
                help="remove it",
            )
            raise AlreadyReported
        else:
            name = names[position]
        if name in matched:
            report.add(
                codes.GIVEN_TWICE,
                argument.span,
                f"`{name}` again",
                secondary=[Label(matched[name].span, f"this is `{name}` already")],
                help="remove one of them",
            )
            faults = True
            continue
        matched[name] = argument
    if faults:
        raise AlreadyReported
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
    declaration stands, where they see the parameters before them. Raises
    `AlreadyReported` after reporting every argument that is wrong or missing.
    """
    names = tuple(param.name.id for param in params)
    given = {
        name: (argument.value, env)
        for name, argument in match_arguments(call, names, evaluator.report).items()
    }
    given.update(overrides or {})
    missing = [
        one for one in params if one.default is None and one.name.id not in given
    ]
    if missing:
        raise _missing(evaluator, call, missing)
    inside = Env(declared.unit, {})
    faults = False
    for param in params:
        name = param.name.id
        if name in inside.values:
            continue  # it is declared twice, which is reported
        if faults and name not in given:
            continue  # its default may read what is wrong
        try:
            inside.values[name] = _value(evaluator, param, given.get(name), inside)
        except AlreadyReported:
            faults = True
    if faults:
        raise AlreadyReported
    if isinstance(declared.declaration, tree.Shift):
        _hold_plain(evaluator, inside.values, params, given)
    return inside.values


def _value(
    evaluator: "Evaluator",
    param: tree.Param,
    given: tuple[tree.Expr, Env] | None,
    inside: Env,
) -> Value:
    """What a parameter is bound to; its kind is that of its default."""
    default = kind = None
    if param.kind is not None:
        kind = param.kind.id
    if param.default is not None:
        default = _evaluate(evaluator, param.default, inside, kind)
        if kind is not None:
            _check_kind(evaluator, kind, default, param.default, param)
    if given is None:
        assert default is not None
        return default
    if kind is None:
        kind = "number" if default is None else default_kind(default)
    expression, where = given
    value = _evaluate(evaluator, expression, where, kind)
    _check_kind(evaluator, kind, value, expression, param)
    return value


def default_kind(default: Value) -> str:
    """The kind of a parameter without annotation."""
    return "shift" if default == NO_SHIFT else kind_of(default)


def _missing(
    evaluator: "Evaluator", call: tree.Call, missing: list[tree.Param]
) -> AlreadyReported:
    listed = " and ".join(f"`{one.name.id}`" for one in missing)
    hint = ", ".join(f"{one.name.id} = …" for one in missing)
    return evaluator.fail(
        codes.MISSING,
        call.span,
        f"`{call.name.id}` needs {listed}",
        secondary=[
            Label(one.span, "declared here without a default") for one in missing
        ],
        help=f"write `{call.name.id}(…, {hint})`"
        if call.arguments
        else f"write `{call.name.id}({hint})`",
    )


def _evaluate(
    evaluator: "Evaluator", expression: tree.Expr, env: Env, kind: str | None
) -> Value:
    """A value for a parameter. A word needs its kind to be said."""
    if kind == "block":
        return evaluator.piece(expression, env)
    words: frozenset[str] = frozenset()
    if kind in ("shift", None):
        words |= {NO_SHIFT}
    if kind == "enum" and isinstance(expression, tree.Name):
        words |= {expression.id}
    return evaluator.value(expression, env, words)


def _check_kind(
    evaluator: "Evaluator", kind: str, value: Value, at: tree.Expr, param: tree.Param
) -> None:
    fits = {
        "number": isinstance(value, int | Fraction) and not isinstance(value, bool),
        "shift": isinstance(value, ShiftRef) or value == NO_SHIFT,
    }.get(kind, kind_of(value) == kind)
    if not fits and kind in KINDS:
        raise evaluator.fail(
            codes.WRONG_KIND,
            at.span,
            f"`{show(value)}` is a {kind_of(value)}",
            secondary=[Label(param.span, f"`{param.name.id}` is a {kind}")],
            help=f"give `{param.name.id}` a {kind}"
            if param.kind or param.default
            else f"give it a number, or declare `{param.name.id}: {kind_of(value)}`",
        )


def _hold_plain(
    evaluator: "Evaluator",
    values: Bound,
    params: tuple[tree.Param, ...],
    given: Mapping[str, tuple[tree.Expr, Env]],
) -> None:
    """A shift is made of numbers: no other shift can be of use inside it."""
    for param in params:
        if isinstance(values[param.name.id], ShiftRef):
            node = given[param.name.id][0] if param.name.id in given else param.default
            assert node is not None
            raise evaluator.fail(
                codes.WRONG_KIND,
                node.span,
                "a shift cannot take another shift",
                help="give it a number",
            )


def _count(names: tuple[str, ...]) -> str:
    if not names:
        return "no arguments"
    listed = ", ".join(f"`{name}`" for name in names)
    return f"only {listed}" if len(names) == 1 else listed
