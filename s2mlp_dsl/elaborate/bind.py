"""Arguments are bound to parameters."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from s2mlp_dsl.diagnostics import AlreadyReported, Report
from s2mlp_dsl.diagnostics.catalogue import arguments
from s2mlp_dsl.diagnostics.suggest import did_you_mean, either, listed
from s2mlp_dsl.elaborate.files import Declared
from s2mlp_dsl.elaborate.values import (
    EnumValue,
    Env,
    ShiftRef,
    Value,
    kind_of,
    origin_of,
    show,
    with_article,
)
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.source import Span

if TYPE_CHECKING:
    from s2mlp_dsl.elaborate.evaluate import Evaluator

KINDS = ("number", "enum", "shift", "list", "string", "block")
NO_SHIFT = EnumValue("none")

# The expression of an argument, and the environment that it is evaluated in.
Given = tuple[tree.Expr, Env]


def match_arguments(
    call: tree.Call, names: tuple[str, ...], report: Report
) -> dict[str, tree.Argument]:
    """The argument for each parameter, by position, then by name.

    Raises `AlreadyReported` after reporting every argument that matches none.
    """
    matched: dict[str, tree.Argument] = {}
    faults = named = False
    for position, argument in enumerate(call.arguments):
        if argument.name is not None:
            named = True
            name = argument.name.id
            if name not in names:
                report.add(
                    arguments.NO_PARAMETER,
                    argument.name.span,
                    help=did_you_mean(name, names, few=0),
                    name=call.name.id,
                    parameters=_parameters(names),
                )
                faults = True
                continue
        elif named:
            report.add(arguments.NEEDS_ITS_NAME, argument.span)
            faults = True
            continue
        elif position >= len(names):
            raise report.add(
                arguments.TAKES_FEWER,
                argument.span,
                name=call.name.id,
                parameters=_parameters(names),
            )
        else:
            name = names[position]
        if name in matched:
            first = matched[name].span
            report.add(arguments.GIVEN_AGAIN, argument.span, related=first, name=name)
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
    overrides: Mapping[str, Given] | None = None,
) -> Env:
    """The environment of a declaration: its parameters given, overridden, or default.

    Arguments are evaluated in `env`, the environment of the call; defaults in the
    result, where they see the parameters before them. Raises `AlreadyReported` after
    reporting every argument that is wrong or missing.
    """
    names = tuple(param.name.id for param in params)
    given: dict[str, Given] = {
        name: (argument.value, env)
        for name, argument in match_arguments(call, names, evaluator.report).items()
    }
    given.update(overrides or {})
    missing = [
        param
        for param in params
        if param.default is None and param.name.id not in given
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
        inside.origins[name] = _origin(param, given.get(name), inside)
    if faults:
        raise AlreadyReported
    if isinstance(declared.declaration, tree.Shift):
        _require_no_shifts(evaluator, inside, params, given)
    return inside


def _value(
    evaluator: "Evaluator", param: tree.Param, given: Given | None, inside: Env
) -> Value:
    """The value of a parameter, whose kind is that of its default."""
    kind = None if param.kind is None else param.kind.id
    default = None
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


def _origin(param: tree.Param, given: Given | None, inside: Env) -> Span:
    if given is not None:
        return origin_of(*given)
    assert param.default is not None
    return origin_of(param.default, inside)


def default_kind(default: Value) -> str:
    """The kind of a parameter without annotation."""
    return "shift" if default == NO_SHIFT else kind_of(default)


def _missing(
    evaluator: "Evaluator", call: tree.Call, missing: list[tree.Param]
) -> AlreadyReported:
    names = [param.name.id for param in missing]
    given = ["…"] if call.arguments else []
    written = ", ".join([*given, *(f"{name} = …" for name in names)])
    return evaluator.fail(
        arguments.ARGUMENTS_MISSING,
        call.span,
        related=[param.span for param in missing],
        name=call.name.id,
        parameters=either(names, "and"),
        written=f"{call.name.id}({written})",
    )


def _evaluate(
    evaluator: "Evaluator", expression: tree.Expr, env: Env, kind: str | None
) -> Value:
    """A value for a parameter. An enum value needs its kind to be declared."""
    if kind == "block":
        return evaluator.block_argument(expression, env)
    words: frozenset[str] = frozenset()
    if kind in ("shift", None):
        words |= {NO_SHIFT}
    if kind == "enum" and isinstance(expression, tree.Name):
        words |= {expression.id}
    return evaluator.value(expression, env, words)


def _check_kind(
    evaluator: "Evaluator", kind: str, value: Value, at: tree.Expr, param: tree.Param
) -> None:
    found = kind_of(value)
    if kind == found or kind not in KINDS or (kind == "shift" and value == NO_SHIFT):
        return
    raise evaluator.fail(
        arguments.NOT_THE_PARAMETERS_KIND
        if param.kind or param.default
        else arguments.NOT_A_NUMBER_BY_DEFAULT,
        at.span,
        related=param.span,
        value=show(value),
        found=with_article(found),
        kind=found,
        name=param.name.id,
        wanted=with_article(kind),
    )


def _require_no_shifts(
    evaluator: "Evaluator",
    bound: Env,
    params: tuple[tree.Param, ...],
    given: Mapping[str, Given],
) -> None:
    """A shift is made of numbers: it has no use for another one."""
    for param in params:
        name = param.name.id
        if isinstance(bound.values[name], ShiftRef):
            node = given[name][0] if name in given else param.default
            assert node is not None
            raise evaluator.fail(arguments.SHIFT_IN_SHIFT, node.span)


def _parameters(names: tuple[str, ...]) -> str:
    if len(names) == 1:
        return f"only `{names[0]}`"
    return listed(names, none="no arguments")
