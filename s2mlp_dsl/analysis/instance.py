"""`instance(A, of = B, on = [h, w, c])`: can weights of B make it equal to A?

Both are linear maps, given by the entries of their matrices. B's entries are
sums of weights with known coefficients, so "some weights of B make it A on
every input" is a system of linear equations with one unknown per weight, one
equation per matrix entry. It is solved exactly, over the rationals.
"""

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction

from s2mlp_dsl.operators.base import Term

Entry = tuple[tuple[int, int], tuple[int, int] | None]
Unknown = tuple[int, ...]
Number = int | Fraction
# unknowns with their coefficients, to be added up, and the right side
Equation = tuple[tuple[tuple[Unknown, Number], ...], Number]

MOST_TERMS = 100_000


class Undecided(Exception):
    """The question is outside what can be decided here. Says why."""

    def __init__(self, reason: str, help: str | None = None) -> None:
        super().__init__(reason)
        self.help = help


def is_instance(of_a: Iterable[Term], of_b: Iterable[Term]) -> bool:
    """Whether some choice of B's weights gives A's matrix.

    Raises `Undecided` if A has weights of its own. The caller keeps the maps
    to `MOST_TERMS` entries.
    """
    right: dict[Entry, Number] = defaultdict(int)
    for term in of_a:
        if term.weight is not None:
            raise Undecided(
                "the first map has weights of its own",
                help="let the first be a fixed map, such as a shift",
            )
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
