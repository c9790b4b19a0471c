"""Exact fits: which sum of monomials a figure is, from its values.

A monomial is a product of powers of the parameters, the powers whole numbers
(below zero as well: positions are size² / patch²). All arithmetic is exact.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import product
from math import prod

Point = Mapping[str, int]
# For each parameter its power, in the order of the parameters.
Powers = tuple[int, ...]
Formula = dict[Powers, Fraction]

_MOST_BELOW = 4  # the least power is -4
_SPARE = 2  # values that a fit in one parameter must explain beyond its own


def powers_along(values: Sequence[tuple[int, int]]) -> list[int] | None:
    """The powers of x in a figure, from pairs (x, figure); None if there is no fit.

    The figure times xⁿ is a polynomial for some n; the least n is taken.
    """
    for below in range(_MOST_BELOW + 1):
        scaled = [(x, Fraction(y) * x**below) for x, y in values]
        found = _polynomial(scaled)
        if found is not None:
            return [power - below for power, factor in enumerate(found) if factor]
    return None


def plus(one: Formula, other: Formula) -> Formula:
    """The sum; monomials that cancel are gone."""
    found = dict(one)
    for powers, factor in other.items():
        found[powers] = found.get(powers, Fraction(0)) + factor
    return {powers: factor for powers, factor in found.items() if factor}


def times(one: Formula, other: Formula) -> Formula:
    """The product."""
    found: Formula = {}
    for left, a in one.items():
        for right, b in other.items():
            powers = tuple(x + y for x, y in zip(left, right, strict=True))
            found = plus(found, {powers: a * b})
    return found


def in_terms_of(formula: Formula, unit: Powers) -> Formula:
    """The formula with a further variable M = the monomial `unit`, placed last.

    M takes the place of the parameter that has the largest power in it, where
    every monomial of the formula allows that; else its powers are all 0.
    """
    place = max(range(len(unit)), key=lambda n: unit[n])
    fits = unit[place] > 0 and all(not one[place] % unit[place] for one in formula)
    found: Formula = {}
    for powers, factor in formula.items():
        count = powers[place] // unit[place] if fits else 0
        left = (p - count * u for p, u in zip(powers, unit, strict=True))
        found[(*left, count)] = factor
    return found


def evaluate(formula: Formula, names: Sequence[str], point: Point) -> Fraction:
    """The formula's value, exactly."""
    return sum(
        (
            factor
            * prod(Fraction(point[n]) ** p for n, p in zip(names, powers, strict=True))
            for powers, factor in formula.items()
        ),
        Fraction(0),
    )


def solve(
    along: Sequence[Sequence[int]],
    names: Sequence[str],
    samples: Iterable[tuple[Point, int]],
) -> Formula | None:
    """The factors of the monomials that have `along[i]` as powers of `names[i]`.

    None where the samples do not determine them. The caller checks the formula with
    further samples.
    """
    monomials = list(product(*along))
    rows: list[tuple[list[Fraction], int]] = []  # reduced, each with its pivot
    for point, figure in samples:
        row = [
            prod(
                (Fraction(point[n]) ** p for n, p in zip(names, one, strict=True)),
                start=Fraction(1),
            )
            for one in monomials
        ]
        row.append(Fraction(figure))
        for known, pivot in rows:
            if row[pivot]:
                factor = row[pivot]
                row = [a - factor * b for a, b in zip(row, known, strict=True)]
        pivot = next((n for n, a in enumerate(row[:-1]) if a), -1)
        if pivot < 0:
            if row[-1]:
                return None  # no such sum has these values
            continue
        scale = row[pivot]
        row = [a / scale for a in row]
        rows = [
            ([a - one[pivot] * b for a, b in zip(one, row, strict=True)], at)
            for one, at in rows
        ]
        rows.append((row, pivot))
    if len(rows) < len(monomials):
        return None
    return {monomials[at]: row[-1] for row, at in rows if row[-1]}


def _polynomial(values: Sequence[tuple[int, Fraction]]) -> list[Fraction] | None:
    """Factors by power, of the least degree that explains all values."""
    for degree in range(len(values) - _SPARE):
        found = _through(values[: degree + 1])
        if all(
            sum(factor * Fraction(x) ** n for n, factor in enumerate(found)) == y
            for x, y in values[degree + 1 :]
        ):
            return found
    return None


def _through(values: Sequence[tuple[int, Fraction]]) -> list[Fraction]:
    """The polynomial through some points (Newton's divided differences)."""
    xs = [x for x, _ in values]
    differences = [y for _, y in values]
    for level in range(1, len(xs)):
        for n in range(len(xs) - 1, level - 1, -1):
            rise = differences[n] - differences[n - 1]
            differences[n] = rise / (xs[n] - xs[n - level])
    found = [Fraction(0)]
    for n in range(len(xs) - 1, -1, -1):
        # found · (x − xs[n]) + differences[n]
        raised = [Fraction(0), *found]
        found = [
            a - xs[n] * b for a, b in zip(raised, [*found, Fraction(0)], strict=True)
        ]
        found[0] += differences[n]
    return found
