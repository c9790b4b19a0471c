"""Fixed kernels as arguments: rows of exact numbers, or lists of such kernels.

A kernel is a list of rows. A list of kernels is one of filters with a kernel each,
and a list of lists of kernels one of filters with several.
"""

from fractions import Fraction
from typing import TYPE_CHECKING

from s2mlp_dsl.elaborate import codes
from s2mlp_dsl.elaborate.values import Env, Value, kind_of, show
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.ir.program import Kernels
from s2mlp_dsl.operators.base import NONE

if TYPE_CHECKING:
    from s2mlp_dsl.elaborate.evaluate import Evaluator

_FORM = "write `[[0, 1, 0], [1, 0, 1], [0, 1, 0]]`, say, or a list of such kernels"

_KERNEL = 2  # how deep the lists of one kernel are nested

Rows = tuple[tuple[Fraction, ...], ...]


def kernels_value(evaluator: "Evaluator", node: tree.Expr, env: Env) -> Kernels | str:
    """The kernels that an expression lists, or `none`. Raises `AlreadyReported`."""
    value = evaluator.value(node, env, frozenset({NONE}))
    if value == NONE:
        return NONE
    depth, first = 0, value
    while isinstance(first, tuple):
        depth, first = depth + 1, _items(evaluator, node, first)[0]
    if depth <= _KERNEL:
        value = (value,)
    filters = _items(evaluator, node, value)
    return Kernels(
        filters=tuple(
            tuple(
                _rows(evaluator, node, kernel)
                for kernel in (
                    _items(evaluator, node, one) if depth > _KERNEL + 1 else (one,)
                )
            )
            for one in filters
        )
    )


def _rows(evaluator: "Evaluator", node: tree.Expr, kernel: Value) -> Rows:
    rows = []
    for row in _items(evaluator, node, kernel):
        numbers = _items(evaluator, node, row)
        # A constant that is listed again and again is longer than its text.
        evaluator.step(node.span, len(numbers))
        rows.append(tuple(_number(evaluator, node, one) for one in numbers))
    return tuple(rows)


def _items(evaluator: "Evaluator", node: tree.Expr, value: Value) -> tuple[Value, ...]:
    if isinstance(value, tuple) and value:
        return value
    raise _refused(evaluator, node, value)


def _number(evaluator: "Evaluator", node: tree.Expr, value: Value) -> Fraction:
    if isinstance(value, int | Fraction) and not isinstance(value, bool):
        return Fraction(value)
    raise _refused(evaluator, node, value)


def _refused(evaluator: "Evaluator", node: tree.Expr, value: Value) -> Exception:
    label = (
        f"`{show(value)}` is a {kind_of(value)}" if value != () else "a list is empty"
    )
    return evaluator.fail(codes.WRONG_KIND, node.span, label, help=_FORM)
