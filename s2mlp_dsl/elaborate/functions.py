"""The functions of expressions: choose, floor, ceil, mod, min, max."""

from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from s2mlp_dsl.elaborate import codes
from s2mlp_dsl.elaborate.numbers import bounded
from s2mlp_dsl.elaborate.values import Env, Value
from s2mlp_dsl.frontend import tree

if TYPE_CHECKING:
    from s2mlp_dsl.elaborate.evaluate import Evaluator


def call_function(
    evaluator: "Evaluator", call: tree.Call, env: Env, words: frozenset[str]
) -> Value:
    """The value of a call whose name is one of `FUNCTIONS`."""
    name = call.name.id
    if name == "choose":
        condition, yes, no = _arguments(evaluator, call, 3)
        chosen = evaluator.value(condition, env)
        if not isinstance(chosen, bool):
            raise evaluator.wrong_kind(condition.span, "comparison", chosen)
        # The other one is not evaluated: it may divide by zero.
        return evaluator.value(yes if chosen else no, env, words)
    if name in ("min", "max"):
        given = _arguments(evaluator, call, None)
        numbers = [evaluator.number(one, env) for one in given]
        return min(numbers) if name == "min" else max(numbers)
    if name == "mod":
        dividend, divisor = _arguments(evaluator, call, 2)
        left, right = evaluator.number(dividend, env), evaluator.number(divisor, env)
        if right == 0:
            raise evaluator.divided_by_zero(divisor)
        return bounded(Fraction(left) % right, call.span, evaluator.report)
    (inner,) = _arguments(evaluator, call, 1)
    return (floor if name == "floor" else ceil)(evaluator.number(inner, env))


def _arguments(
    evaluator: "Evaluator", call: tree.Call, wanted: int | None
) -> list[tree.Expr]:
    """The positional arguments: exactly so many, or at least one."""
    for argument in call.arguments:
        if argument.name is not None:
            raise evaluator.fail(
                codes.UNKNOWN_ARGUMENT,
                argument.name.span,
                f"`{call.name.id}` takes its arguments by position",
                help=f"write only the value: `{argument.value.span.text}`",
            )
    given = [argument.value for argument in call.arguments]
    needed = wanted or 1
    plural = "s" if needed > 1 else ""
    if len(given) < needed:
        raise evaluator.fail(
            codes.MISSING,
            call.span,
            f"`{call.name.id}` needs {needed} argument{plural}, {len(given)} given",
        )
    if wanted is not None and len(given) > wanted:
        raise evaluator.fail(
            codes.TOO_MANY,
            given[wanted].span,
            f"`{call.name.id}` takes {wanted} argument{plural}",
            help="remove it",
        )
    return given
