"""`check --symbolic`: formulas as text and as data."""

import json
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from s2mlp_dsl.analysis.laurent import Formula, Powers, in_terms_of, plus, times
from s2mlp_dsl.analysis.symbolic import (
    CHECKED,
    NoFormula,
    Symbolic,
    SymbolicRow,
    symbolic,
)
from s2mlp_dsl.elaborate.spec import Spec

_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def print_symbolic(
    spec: Spec, model: str | None, settings: Mapping[str, str], form: str
) -> int:
    """The formulas of one model, or of all that a spec declares."""
    chosen = [spec.choose_model(model)] if model else list(spec.models.values())
    data = []
    for number, declared in enumerate(chosen):
        name = declared.declaration.name.id
        try:
            found = symbolic(spec, declared, settings)
        except NoFormula as why:
            data.append({"name": name, "none": str(why)})
            text = f"{name}: no formula: {why}"
        else:
            data.append(_as_data(found))
            text = _as_text(found)
        if form == "text":
            print(("\n" if number else "") + text)
    if form == "json":
        print(json.dumps({"models": data}, indent=2, ensure_ascii=False))
    return 0


def _as_data(found: Symbolic) -> dict[str, Any]:
    """Formulas in the syntax of Python, and of sympy."""
    writer = _Writer(found, plain=True)
    params, macs = _totals(found.rows)
    return {
        "name": found.name,
        "parameters": list(found.names),
        "fixed": dict(found.fixed),
        "positions": writer.write(found.positions, opened=True),
        "params": writer.write(params),
        "macs": writer.write(macs),
        "points": found.points,
        "statements": [
            {
                "path": row.path,
                "operator": row.operator,
                "count": writer.write(row.count),
                "params": writer.write(row.params),
                "macs": writer.write(row.macs),
            }
            for row in found.rows
        ],
    }


def _as_text(found: Symbolic) -> str:
    writer = _Writer(found, plain=False)
    fixed = "".join(f", {name} = {value}" for name, value in found.fixed.items())
    names = f", in {', '.join(found.names)}" if found.names else ""
    lines = [f"{found.name}{names}{fixed}"]
    if writer.unit is not None:
        size = writer.write(found.positions, opened=True)
        lines.append(f"M = {size}, the positions of the first map")
    lines += ["", *_table("statement", _rows(found.rows, writer))]
    for stack, rows in _stacks(found.rows).items():
        lines += ["", *_table(f"one iteration of {stack}", _operators(rows, writer))]
    params, macs = _totals(found.rows)
    lines += [
        "",
        f"  params  {writer.write(params)}",
        f"  MACs    {writer.write(macs)}",
        "",
        f"  Exact at {found.points - CHECKED} points, and held against {CHECKED} more.",
    ]
    return "\n".join(lines)


Cells = tuple[str, str, str, str]


def _rows(rows: Iterable[SymbolicRow], writer: "_Writer") -> list[Cells]:
    cells = []
    for row in rows:
        count = writer.write(row.count)
        params, macs = writer.write(row.params), writer.write(row.macs)
        cells.append((row.path, "" if count == "1" else f"×{count}", params, macs))
    return cells


def _stacks(rows: Iterable[SymbolicRow]) -> dict[str, list[SymbolicRow]]:
    """The statements of each innermost stack."""
    stacks: dict[str, list[SymbolicRow]] = {}
    for row in rows:
        before, star, _ = row.path.rpartition(".*.")
        if star:
            stacks.setdefault(before, []).append(row)
    return stacks


def _operators(rows: list[SymbolicRow], writer: "_Writer") -> list[Cells]:
    """What each operator has in one iteration, and all together."""
    kinds = dict.fromkeys(row.operator for row in rows if row.params or row.macs)
    cells: list[Cells] = []
    for name in kinds:
        params, macs = _once(row for row in rows if row.operator == name)
        cells.append((f"op({name})", "", writer.write(params), writer.write(macs)))
    params, macs = _once(rows)
    return [*cells, ("together", "", writer.write(params), writer.write(macs))]


def _once(rows: Iterable[SymbolicRow]) -> tuple[Formula, Formula]:
    params: Formula = {}
    macs: Formula = {}
    for row in rows:
        params, macs = plus(params, row.params), plus(macs, row.macs)
    return params, macs


def _totals(rows: Iterable[SymbolicRow]) -> tuple[Formula, Formula]:
    params: Formula = {}
    macs: Formula = {}
    for row in rows:
        params = plus(params, times(row.count, row.params))
        macs = plus(macs, times(row.count, row.macs))
    return params, macs


def _table(head: str, rows: list[Cells]) -> list[str]:
    cells = [(head, "", "params", "MACs"), *rows]
    wide = [max(len(row[n]) for row in cells) for n in range(4)]
    return [
        "  "
        + "  ".join(f"{cell:<{w}}" for cell, w in zip(row, wide, strict=True)).rstrip()
        for row in cells
    ]


class _Writer:
    """Formulas as text, the positions of the first map written as M."""

    def __init__(self, found: Symbolic, plain: bool) -> None:
        self.names, self.plain = found.names, plain
        self.unit: Powers | None = None
        if (
            list(found.positions.values()) == [1]
            and not plain
            and "M" not in self.names
        ):
            (unit,) = found.positions
            self.unit = unit if any(unit) else None

    def write(self, formula: Formula, opened: bool = False) -> str:
        """`width²·(2·ratio + 2) + width·(ratio + 3)`; `opened` writes no M."""
        if not formula:
            return "0" if self.plain else "–"
        names = self.names
        if self.unit is not None and not opened:
            formula = in_terms_of(formula, self.unit)
            names = (*names, "M")
        return _sum(formula, names, self.plain)


def _sum(formula: Formula, names: tuple[str, ...], plain: bool) -> str:
    """Grouped by the powers of one name, the common factors of a group in front."""
    groups = _groups(formula, names)
    texts = [_group(group, names, plain) for group in groups]
    return " + ".join(texts).replace("+ -", "- ")


def _groups(formula: Formula, names: tuple[str, ...]) -> list[Formula]:
    """By the name with the largest power, or that stands in most monomials."""
    best: dict[int, Formula] = {} if names else {0: formula}
    rank = (0, 0, 0)
    for place in range(len(names)):
        groups: dict[int, Formula] = {}
        for powers, factor in formula.items():
            groups.setdefault(powers[place], {})[powers] = factor
        uses = sum(len(one) for power, one in groups.items() if power)
        found = (max(groups), uses, -len(groups))
        if not best or found > rank:
            best, rank = groups, found
    return [best[power] for power in sorted(best, reverse=True)]


def _group(group: Formula, names: tuple[str, ...], plain: bool) -> str:
    if len(group) == 1:
        ((powers, factor),) = group.items()
        return _monomial(powers, factor, names, plain)
    common = tuple(min(column) for column in zip(*group, strict=True))
    rest = {
        tuple(p - c for p, c in zip(powers, common, strict=True)): factor
        for powers, factor in group.items()
    }
    inside = _sum(rest, names, plain) if any(common) else _flat(rest, names, plain)
    if not any(common):
        return inside
    front = _monomial(common, Fraction(1), names, plain)
    return f"{front}{'*' if plain else '·'}({inside})"


def _flat(formula: Formula, names: tuple[str, ...], plain: bool) -> str:
    ordered = sorted(formula.items(), reverse=True)
    return " + ".join(_monomial(powers, one, names, plain) for powers, one in ordered)


def _monomial(
    powers: Powers, factor: Fraction, names: tuple[str, ...], plain: bool
) -> str:
    above, below = [], []
    if factor.numerator != 1:
        above.append(str(factor.numerator))
    if factor.denominator != 1:
        below.append(str(factor.denominator))
    order = sorted(range(len(names)), key=lambda n: names[n] != "M")
    for n in order:
        if powers[n]:
            (above if powers[n] > 0 else below).append(
                _power(names[n], abs(powers[n]), plain)
            )
    sign = "*" if plain else "·"
    text = sign.join(above) or "1"
    if not below:
        return text
    under = sign.join(below)
    return f"{text}/{f'({under})' if len(below) > 1 else under}"


def _power(name: str, power: int, plain: bool) -> str:
    if power == 1:
        return name
    return f"{name}**{power}" if plain else name + str(power).translate(_RAISED)
