"""`instance(A, of = B, on = [h, w, c])`: can weights of B make it equal to A?

Both are linear maps, given by the entries of their matrices. B's entries are
sums of weights with known coefficients, so "some weights of B make it A on
every input" is a system of linear equations with one unknown per weight, one
equation per matrix entry. It is solved exactly, over the rationals.
"""

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from s2mlp_dsl.diagnostics import Message, Report
from s2mlp_dsl.diagnostics.catalogue import claims
from s2mlp_dsl.diagnostics.suggest import either
from s2mlp_dsl.elaborate.bind import match_arguments
from s2mlp_dsl.elaborate.evaluate import Evaluator
from s2mlp_dsl.elaborate.expand import Expander
from s2mlp_dsl.elaborate.files import Unit
from s2mlp_dsl.elaborate.resolve import operator_of
from s2mlp_dsl.elaborate.values import Env, show
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.ir.program import Op
from s2mlp_dsl.ir.shape import Map, positions
from s2mlp_dsl.operators import Term, applied

Entry = tuple[tuple[int, int], tuple[int, int] | None]
Unknown = tuple[int, ...]
Number = int | Fraction
# Unknowns with their coefficients, to be added up, and the right side.
Equation = tuple[tuple[tuple[Unknown, Number], ...], Number]

MOST_TERMS = 100_000
_PARTS = ("a", "of", "on")


class Undecided(Exception):
    """A claim outside what can be decided, with the message to report."""

    def __init__(self, message: Message, **fields: Any) -> None:
        self.message, self.fields = message, fields
        super().__init__(message.label.format(**fields))


def check_instance(call: tree.Call, unit: Unit, report: Report) -> bool:
    """Whether some weights of B make it A; reported where none do.

    Raises `Undecided` where that cannot be known.
    """
    given = match_arguments(call, _PARTS, report)
    if missing := [part for part in _PARTS if part not in given]:
        parts = either(("A" if part == "a" else part for part in missing), "and")
        raise report.add(claims.INSTANCE_MISSING, call.span, parts=parts)
    shape = _shape(given["on"].value, unit, report)
    a, b = (_linear_map(given[part].value, shape, unit, report) for part in ("a", "of"))
    holds = is_instance(a, b)
    if not holds:
        report.add(claims.NO_INSTANCE, call.span)
    return holds


def _shape(node: tree.Expr, unit: Unit, report: Report) -> Map:
    evaluator = Evaluator(report)
    size = evaluator.value(node, Env(unit, {}))
    if not isinstance(size, tuple) or len(size) != 3:
        raise report.add(claims.NOT_A_SIZE, node.span, value=show(size))
    height, width, channels = (evaluator.as_count(side, node.span) for side in size)
    return Map(height=height, width=width, channels=channels)


def _linear_map(
    node: tree.Expr, shape: Map, unit: Unit, report: Report
) -> Iterable[Term]:
    """The entries of an operator's matrix, if they can be written down."""
    op = _operation(node, shape, unit, report)
    operator = applied(op)
    # Each product of a weight with an input is an entry, and nothing else is.
    entries = max(positions(shape) * shape.channels, operator.macs())
    if entries > MOST_TERMS:
        raise Undecided(
            claims.LARGE_MATRIX, name=op.operator, entries=entries, limit=MOST_TERMS
        )
    terms = operator.linear_map()
    if terms is None:
        raise Undecided(claims.NOT_LINEAR, name=op.operator)
    return terms


def _operation(node: tree.Expr, shape: Map, unit: Unit, report: Report) -> Op:
    """An operator call, elaborated on a map of the given size."""
    call = tree.Call(node.span, node, ()) if isinstance(node, tree.Name) else node
    if not isinstance(call, tree.Call) or operator_of(unit, call.name, report) is None:
        raise report.add(claims.NO_OPERATOR, node.span)
    body = tree.Body(node.span, (tree.Operation(node.span, call),))
    expander = Expander(Evaluator(report))
    (op,), _ = expander.scope(body, Env(unit, {}, shape.channels), shape)
    assert isinstance(op, Op)
    return op


def is_instance(of_a: Iterable[Term], of_b: Iterable[Term]) -> bool:
    """Whether some choice of B's weights gives A's matrix.

    Raises `Undecided` if A has weights of its own. The caller keeps the maps
    to `MOST_TERMS` entries.
    """
    right: dict[Entry, Number] = defaultdict(int)
    for term in of_a:
        if term.weight is not None:
            raise Undecided(claims.LEARNED_FIRST)
        right[term.target, term.source] += term.coefficient
    left: dict[Entry, list[tuple[Unknown, Number]]] = {}
    for target, source, weight, coefficient in of_b:
        if weight is None:
            right[target, source] -= coefficient
        else:
            left.setdefault((target, source), []).append((weight, coefficient))
    # Most positions give the same equations; each is kept once.
    equations = {(tuple(row), right.pop(entry, 0)) for entry, row in left.items()}
    return _solvable(equations | {((), value) for value in right.values()})


def _solvable(equations: set[Equation]) -> bool:
    """Gaussian elimination on sparse rows, the shortest first."""
    pivots: dict[Unknown, tuple[dict[Unknown, Number], Number]] = {}
    for terms, wanted in sorted(equations, key=lambda one: (len(one[0]), one[1])):
        added: dict[Unknown, Number] = defaultdict(int)
        for unknown, coefficient in terms:
            added[unknown] += coefficient
        row = {unknown: total for unknown, total in added.items() if total}
        value = wanted
        while row:
            known = next((unknown for unknown in row if unknown in pivots), None)
            if known is None:
                pivot = next(iter(row))
                if (scale := row[pivot]) != 1:
                    row = {u: Fraction(f) / scale for u, f in row.items()}
                    value = Fraction(value) / scale
                pivots[pivot] = (row, value)
                break
            factor = row[known]
            other, other_value = pivots[known]
            for unknown, amount in other.items():
                rest = row.get(unknown, 0) - factor * amount
                if rest:
                    row[unknown] = rest
                else:
                    row.pop(unknown, None)
            value -= factor * other_value
        else:
            if value:
                return False
    return True
