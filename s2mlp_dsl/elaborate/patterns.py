"""Axis patterns as arguments: a text, and the sizes of its axes by name."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from s2mlp_dsl.elaborate import codes
from s2mlp_dsl.elaborate.values import Env
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.operators import Parameter
from s2mlp_dsl.operators.codes import PATTERN
from s2mlp_dsl.operators.pattern import PatternError, parse_pattern

if TYPE_CHECKING:
    from s2mlp_dsl.elaborate.evaluate import Evaluator


def axis_names(parameters: Sequence[Parameter], call: tree.Call) -> tuple[str, ...]:
    """The axes that a call may give sizes of: those of the pattern it names."""
    wanted = [one.name for one in parameters if one.kind == "pattern"]
    for argument in call.arguments if wanted else ():
        named = argument.name is None or argument.name.id in wanted
        if named and isinstance(argument.value, tree.Text):
            try:
                return parse_pattern(argument.value.value).axes
            except PatternError:  # reported with the pattern
                return tuple(one.name.id for one in call.arguments if one.name)
    return ()


def pattern_value(
    evaluator: "Evaluator",
    node: tree.Expr,
    sizes: Mapping[str, tree.Argument],
    env: Env,
) -> str:
    """The pattern with the sizes that are given. Raises `AlreadyReported`."""
    if not isinstance(node, tree.Text):
        raise evaluator.wrong_kind(node.span, "pattern", evaluator.value(node, env))
    try:
        pattern = parse_pattern(node.value)
    except PatternError as error:
        raise evaluator.fail(PATTERN, node.span, str(error), help=error.help) from None
    given = dict(pattern.given)
    for axis, argument in sizes.items():
        if axis in given:
            raise evaluator.fail(
                codes.GIVEN_TWICE,
                argument.span,
                f"the pattern says `{axis}` = {given[axis]} already",
                help="remove one of them",
            )
        given[axis] = evaluator.count(argument.value, env)
    return str(replace(pattern, given=tuple(given.items())))
