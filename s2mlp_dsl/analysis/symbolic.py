"""Figures of a model as formulas in its parameters.

The model is expanded at many points, values of its parameters, and the figures of each
statement are fitted exactly (`laurent.py`). A formula is the only sum of monomials,
with the powers that are found along each parameter, that has the figures of all points
used, and it was checked at `CHECKED` further points, drawn at random from a seed. Where
no formula explains all points (widths that double in a stack, `floor`, `choose`), there
is none, and `NoFormula` says so.
"""

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import prod

from s2mlp_dsl.analysis.cost import cost_table
from s2mlp_dsl.analysis.laurent import Formula, Point, evaluate, powers_along, solve
from s2mlp_dsl.analysis.receptive_field import embedding
from s2mlp_dsl.diagnostics import SpecError
from s2mlp_dsl.elaborate.evaluate import Steps
from s2mlp_dsl.elaborate.files import Declared
from s2mlp_dsl.elaborate.spec import ChoiceError, Spec, require_parameters
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.ir.shape import positions

CHECKED = 12  # points that only check a formula
_ALONG = 12  # values tried along one parameter
_LEAST = 4  # values along a parameter that may be in a formula
_JOINT = 60  # at most so many points at which several parameters differ
_TRIES = 10  # for each of them
MOST_STEPS = 4_000_000  # of evaluation, at all points of all models
_MOST_OF_ONE = 400_000  # at those of one model
_STARTS = (48, 24, 96, 36, 16, 12, 8, 4, 2, 1)  # for parameters without a default
_EACH = ("count", "copies", "params", "MACs")


class NoFormula(Exception):
    """The figures are not sums of monomials in the parameters, as far as was tried."""


@dataclass(frozen=True, slots=True)
class SymbolicRow:
    """A statement: see `CostRow`. `path` has `*` for the index in a stack."""

    path: str
    operator: str
    labels: frozenset[str]
    count: Formula
    copies: Formula
    params: Formula
    macs: Formula


@dataclass(frozen=True, slots=True)
class Symbolic:
    """Formulas over `names`; the other parameters have the values in `fixed`.

    `positions` counts the positions of the first map.
    """

    name: str
    names: tuple[str, ...]
    fixed: Mapping[str, str]
    positions: Formula
    rows: tuple[SymbolicRow, ...]
    points: int


def symbolic(
    spec: Spec,
    declared: Declared,
    settings: Mapping[str, str],
    spent: Steps | None = None,
) -> Symbolic:
    """The formulas of a model. Parameters in `settings` or a variant stay fixed.

    Models that share `spent` have `MOST_STEPS` together.
    Raises `NoFormula`, and `ChoiceError` where the model can be expanded at no point
    that was tried.
    """
    sampler = _Sampler(spec, declared, settings, spent or Steps())
    names = tuple(sampler.values)
    lines = sampler.samples(sampler.lines())
    fit = _Fit(sampler.start, lines)
    most = max(fit.monomials(what) for what in _figures(lines))
    samples = lines + sampler.samples(sampler.joint(min(most, _JOINT) + CHECKED))
    formulas = {what: fit(what, samples) for what in _figures(samples)}
    rows = [
        SymbolicRow(
            path, operator, labels, *(formulas[f"{what} of {path}"] for what in _EACH)
        )
        for path, (operator, labels) in lines[0][1].operators.items()
    ]
    return Symbolic(
        name=declared.declaration.name.id,
        names=names,
        fixed=sampler.fixed,
        positions=formulas["positions"],
        rows=tuple(rows),
        points=len(samples),
    )


# Names with their values: a point that can be a key.
_Place = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class _Table:
    """At one point: the statements by path, with operator and labels, and figures.

    Figures are "positions", those of the first map, and "params of stack.*.linear1".
    """

    operators: dict[str, tuple[str, frozenset[str]]]
    figures: dict[str, int]


Samples = list[tuple[Point, _Table]]


def _figures(samples: Samples) -> list[str]:
    """The names of the figures. Raises `NoFormula` unless all samples have the same."""
    first = list(samples[0][1].figures)
    if any(list(table.figures) != first for _, table in samples):
        raise NoFormula("the statements depend on the parameters")
    return first


class _Sampler:
    """Expands one model at many points."""

    def __init__(
        self,
        spec: Spec,
        declared: Declared,
        settings: Mapping[str, str],
        spent: Steps,
    ) -> None:
        self.spec, self.declared, self.settings = spec, declared, dict(settings)
        base = spec.base(declared)
        require_parameters(base, settings)
        self._tables: dict[_Place, _Table | None] = {}
        self._spent, self._begun = spent, spent.taken
        given = base.given.keys() | settings.keys()
        free = [param for param in base.params if param.name.id not in given]
        start = self._start(free)
        along = {name: list(self._along(start, name)) for name in start}
        self.values = {
            n: values for n, values in along.items() if len(values) >= _LEAST
        }
        self.start = {name: start[name] for name in self.values}
        fixed = {name: node.span.text for name, (node, _) in base.given.items()}
        fixed |= {
            param.name.id: param.default.span.text
            for param in free
            if param.default is not None and param.name.id not in self.values
        }
        self.fixed = fixed | self.settings

    def lines(self) -> Iterator[_Place]:
        """Points along each parameter, the others at the start."""
        yield tuple(self.start.items())
        for name, values in self.values.items():
            for value in values:
                yield tuple({**self.start, name: value}.items())

    def joint(self, count: int) -> Iterator[_Place]:
        """So many points at which all parameters differ, or fewer.

        The model can be expanded there.
        """
        chance = random.Random(0)
        for _ in range(_TRIES * count):
            point = tuple((n, chance.choice(one)) for n, one in self.values.items())
            if self.table(point) is not None:
                yield point
                count -= 1
                if not count:
                    return

    def samples(self, points: Iterable[_Place]) -> Samples:
        """The tables at those points where the model can be expanded."""
        found = ((point, self.table(point)) for point in points)
        return [(dict(point), table) for point, table in found if table is not None]

    def table(self, point: _Place) -> _Table | None:
        """The figures at a point, None where the model cannot be expanded."""
        if point not in self._tables:
            if self._spent.taken - self._begun > _MOST_OF_ONE:
                raise NoFormula("the model has too many statements to try many sizes")
            if self._spent.taken > MOST_STEPS:
                raise NoFormula("the spec has many models; choose one with --model")
            settings = self.settings | {name: str(value) for name, value in point}
            try:
                model = self.spec.expand(self.declared, settings, spent=self._spent)
            except (SpecError, ChoiceError):
                self._tables[point] = None
            else:
                self._tables[point] = _table(model)
        return self._tables[point]

    def _start(self, free: list[tree.Param]) -> dict[str, int]:
        """A point at which the model can be expanded."""
        names = [param.name.id for param in free if _is_count(param)]
        known = {
            param.name.id: value
            for param in free
            if _is_count(param) and (value := _default(param)) is not None
        }
        missing = [name for name in names if name not in known]
        for value in _STARTS if missing else (0,):
            point = known | dict.fromkeys(missing, value)
            ordered = {name: point[name] for name in names}
            if self.table(tuple(ordered.items())) is not None:
                return ordered
        raise ChoiceError(
            f"no values were found for which `{self.declared.declaration.name.id}` "
            "can be expanded; give some with --set"
        )

    def _along(self, start: dict[str, int], name: str) -> Iterator[int]:
        candidates = [*range(1, 41), *(start[name] * n for n in range(2, 13))]
        found = 0
        for value in dict.fromkeys(candidates):
            point = tuple({**start, name: value}.items())
            if found < _ALONG and self.table(point) is not None:
                found += 1
                yield value


def _is_count(param: tree.Param) -> bool:
    """Whether it is a number without a default, or with a whole one."""
    kind = param.kind.id if param.kind is not None else "number"
    return kind == "number" and (param.default is None or _default(param) is not None)


def _default(param: tree.Param) -> int | None:
    """A default that is written as a whole number."""
    node = param.default
    if isinstance(node, tree.Number) and node.lexeme.replace("_", "").isdigit():
        return int(node.lexeme)
    return None


def _table(model: Model) -> _Table:
    """The figures of a model; the same path again gets a number."""
    operators: dict[str, tuple[str, frozenset[str]]] = {}
    figures = {"positions": positions(embedding(model).op.result)}
    for row in cost_table(model):
        key, number = _path(row.path), 1
        while (name := key if number == 1 else f"{key} ({number})") in operators:
            number += 1
        operators[name] = row.operator, row.labels
        each = (row.count, row.copies, row.params, row.macs)
        figures |= {f"{w} of {name}": n for w, n in zip(_EACH, each, strict=True)}
    return _Table(operators, figures)


def _path(path: str) -> str:
    parts = path.split(".")
    return ".".join("*" if part.replace("-", "").isdigit() else part for part in parts)


class _Fit:
    """Fits figures, each series of equal ones once.

    `lines` are the samples along each parameter, the others as at the start.
    """

    def __init__(self, start: Point, lines: Samples) -> None:
        self.names = tuple(start)
        self._lines = [
            {
                point[name]: table
                for point, table in lines
                if {**point, name: start[name]} == start
            }
            for name in self.names
        ]
        self._powers: dict[tuple[int, ...], list[list[int]]] = {}
        self._formulas: dict[tuple[int, ...], Formula] = {}

    def monomials(self, what: str) -> int:
        """How many a formula has that is found along each parameter."""
        return prod(map(len, self._along(what)))

    def __call__(self, what: str, samples: Samples) -> Formula:
        """The formula of a figure. Raises `NoFormula`."""
        series = tuple(table.figures[what] for _, table in samples)
        if series not in self._formulas:
            self._formulas[series] = self._formula(what, samples)
        return self._formulas[series]

    def _formula(self, what: str, samples: Samples) -> Formula:
        points = [(point, table.figures[what]) for point, table in samples]
        checks = points[-CHECKED:]
        formula = solve(self._along(what), self.names, points[:-CHECKED])
        if formula is None or any(
            evaluate(formula, self.names, point) != Fraction(figure)
            for point, figure in checks
        ):
            raise NoFormula(f"{what} has other values than any formula tried")
        return formula

    def _along(self, what: str) -> list[list[int]]:
        """The powers of each parameter."""
        lines = [
            {value: table.figures[what] for value, table in line.items()}
            for line in self._lines
        ]
        series = tuple(figure for line in lines for figure in line.values())
        if series not in self._powers:
            self._powers[series] = [
                self._line(what, name, line)
                for name, line in zip(self.names, lines, strict=True)
            ]
        return self._powers[series]

    def _line(self, what: str, name: str, line: dict[int, int]) -> list[int]:
        powers = powers_along(sorted(line.items()))
        if powers is None:
            raise NoFormula(f"{what} is not a sum of powers of `{name}`")
        return powers or [0]
