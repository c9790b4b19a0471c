"""Figures of a model as formulas in its parameters.

The model is expanded for many values of its parameters; each statement's count,
parameters and MACs are then fitted exactly (`laurent.py`). What that shows: the
formula is the only sum of monomials, with the powers that are found along each
parameter, that has the figures of all points used, and it was held against
`CHECKED` further points, drawn at random from a seed. Where no formula explains
all points (widths that double in a stack, `floor`, `choose`), there is none, and
that is said.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from s2mlp_dsl.analysis.cost import CostRow, cost_table
from s2mlp_dsl.analysis.laurent import Formula, Point, evaluate, powers_along, solve
from s2mlp_dsl.analysis.receptive_field import embedding
from s2mlp_dsl.diagnostics import SpecError
from s2mlp_dsl.elaborate.files import Declared
from s2mlp_dsl.elaborate.spec import ChoiceError, Spec, require_parameters
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.ir.shape import positions

CHECKED = 12  # points that a formula is held against
_ALONG = 12  # values tried along one parameter
_JOINT = 60  # points at which several parameters differ
_TRIES = 600
_STARTS = (48, 24, 96, 36, 16, 12, 8, 4, 2, 1)  # for parameters without a value


class NoFormula(Exception):
    """The figures are no sums of monomials in the parameters, or not seen to be."""


@dataclass(frozen=True)
class SymbolicRow:
    """A statement: params and MACs of one use, and how many uses there are.

    `path` has `*` for the index in a stack.
    """

    path: str
    operator: str
    labels: frozenset[str]
    count: Formula
    params: Formula
    macs: Formula


@dataclass(frozen=True)
class Symbolic:
    """Formulas over `names`; what is not among them has the value in `fixed`.

    `positions` counts the positions of the first map.
    """

    name: str
    names: tuple[str, ...]
    fixed: Mapping[str, str]
    positions: Formula
    rows: tuple[SymbolicRow, ...]
    points: int


def symbolic(spec: Spec, declared: Declared, settings: Mapping[str, str]) -> Symbolic:
    """The formulas of a model. What `settings` or a variant give stays as it is.

    Raises `NoFormula`, and `ChoiceError` where no values are found at which the
    model can be expanded.
    """
    sampler = _Sampler(spec, declared, settings)
    names = tuple(sampler.values)
    points = [*sampler.lines(), *sampler.joint()]
    tables = [(point, sampler.table(point)) for point in points]
    sampled = [(point, one) for point, one in tables if one is not None]
    keys = list(sampled[0][1])
    if any(list(one) != keys for _, one in sampled):
        raise NoFormula("which statements there are depends on the parameters")
    fit = _Fit(names, sampler.start, [point for point, _ in sampled])
    rows = []
    for key in keys:
        if key == _FIRST:
            continue
        first = sampled[0][1][key]
        count, params, macs = (
            fit(f"{what} of {key}", [one[key].figures[n] for _, one in sampled])
            for n, what in enumerate(("count", "params", "MACs"))
        )
        rows.append(SymbolicRow(key, first.operator, first.labels, count, params, macs))
    first_map = fit("positions", [one[_FIRST].figures[0] for _, one in sampled])
    return Symbolic(
        declared.declaration.name.id,
        names,
        sampler.fixed,
        first_map,
        tuple(rows),
        len(sampled),
    )


_FIRST = ""  # the key of the first map


@dataclass(frozen=True)
class _Sample:
    operator: str
    labels: frozenset[str]
    figures: tuple[int, ...]


class _Sampler:
    """Expands one model at many points."""

    def __init__(
        self, spec: Spec, declared: Declared, settings: Mapping[str, str]
    ) -> None:
        self.spec, self.declared, self.settings = spec, declared, dict(settings)
        self.base = spec.base(declared)
        require_parameters(self.base, settings)
        self._tables: dict[tuple[tuple[str, int], ...], dict[str, _Sample] | None] = {}
        free = [
            one
            for one in self.base.params
            if one.name.id not in settings and one.name.id not in self.base.given
        ]
        self.start = self._start(free)
        self.values = {
            name: found
            for name in self.start
            if len(found := list(self._along(name))) > 3
        }
        self.start = {name: self.start[name] for name in self.values}
        given = {key: one.span.text for key, (one, _) in self.base.given.items()}
        given |= {
            one.name.id: one.default.span.text
            for one in free
            if one.default is not None and one.name.id not in self.values
        }
        self.fixed = given | self.settings

    def lines(self) -> Iterator[Point]:
        """Points along each parameter, the others at the start."""
        yield self.start
        for name, values in self.values.items():
            for value in values:
                yield {**self.start, name: value}

    def joint(self) -> Iterator[Point]:
        """Points at which everything differs, as far as they can be expanded."""
        chance = random.Random(0)
        found = 0
        for _ in range(_TRIES):
            point = {name: chance.choice(one) for name, one in self.values.items()}
            if self.table(point) is not None:
                yield point
                found += 1
                if found == _JOINT + CHECKED:
                    return

    def table(self, point: Point) -> dict[str, _Sample] | None:
        """Figures by statement, None where there is no such model."""
        key = tuple(point.items())
        if key not in self._tables:
            self._tables[key] = self._expanded(point)
        return self._tables[key]

    def _expanded(self, point: Point) -> dict[str, _Sample] | None:
        settings = self.settings | {name: str(value) for name, value in point.items()}
        try:
            return _table(self.spec.expand(self.declared, settings))
        except (SpecError, ChoiceError):
            return None

    def _start(self, free: list[tree.Param]) -> Point:
        """A point at which the model can be expanded."""
        numeric = [one.name.id for one in free if _is_free(one)]
        known = {
            one.name.id: value
            for one in free
            if one.name.id in numeric and (value := _default(one)) is not None
        }
        missing = [name for name in numeric if name not in known]
        for value in _STARTS if missing else (0,):
            point = known | dict.fromkeys(missing, value)
            ordered = {name: point[name] for name in numeric if name in point}
            if self.table(ordered) is not None:
                return ordered
        raise ChoiceError(
            f"no values are found for which `{self.declared.declaration.name.id}` "
            "can be expanded; give some with --set"
        )

    def _along(self, name: str) -> Iterator[int]:
        start = self.start[name]
        candidates = [*range(1, 41), *(start * n for n in range(2, 13))]
        found = 0
        for value in dict.fromkeys(candidates):
            if found < _ALONG and self.table({**self.start, name: value}) is not None:
                found += 1
                yield value


def _is_free(param: tree.Param) -> bool:
    """A count: without a default, or with one. Expressions stay as they are."""
    kind = param.kind.id if param.kind is not None else "number"
    return kind == "number" and (param.default is None or _default(param) is not None)


def _default(param: tree.Param) -> int | None:
    """A default that is a whole number as it stands."""
    node = param.default
    if isinstance(node, tree.Number) and node.lexeme.replace("_", "").isdigit():
        return int(node.lexeme)
    return None


def _table(model: Model) -> dict[str, _Sample]:
    """Figures by statement; the same path again gets a number."""
    table: dict[str, _Sample] = {}
    first_map = embedding(model).result
    table[_FIRST] = _Sample("", frozenset(), (positions(first_map),))
    for row in cost_table(model):
        key, number = _path(row), 1
        while (name := key if number == 1 else f"{key} ({number})") in table:
            number += 1
        table[name] = _Sample(
            row.operator, row.labels, (row.count, row.params, row.macs)
        )
    return table


def _path(row: CostRow) -> str:
    parts = row.path.split(".")
    return ".".join("*" if one.replace("-", "").isdigit() else one for one in parts)


@dataclass(frozen=True)
class _Fit:
    """Fits figures that are given in the order of `points`."""

    names: tuple[str, ...]
    start: Point
    points: list[Point]

    def __call__(self, what: str, figures: list[int]) -> Formula:
        samples = list(zip(self.points, figures, strict=True))
        along = []
        for name in self.names:
            others = {key: one for key, one in self.start.items() if key != name}
            line = {
                point[name]: figure
                for point, figure in samples
                if all(point[key] == one for key, one in others.items())
            }
            powers = powers_along(sorted(line.items()))
            if powers is None:
                raise NoFormula(f"{what} is no sum of powers of `{name}`")
            along.append(powers or [0])
        held = samples[-CHECKED:]
        formula = solve(along, self.names, samples[:-CHECKED])
        if formula is None or any(
            evaluate(formula, self.names, point) != Fraction(figure)
            for point, figure in held
        ):
            raise NoFormula(f"{what} has other values than any formula tried")
        return formula
