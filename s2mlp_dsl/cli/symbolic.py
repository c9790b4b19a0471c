"""`check --symbolic`: parameters and MACs as formulas, as text and as data."""

from collections.abc import Iterable, Mapping
from typing import Any

from s2mlp_dsl.analysis.formula_text import FormulaWriter
from s2mlp_dsl.analysis.laurent import Formula, plus, times
from s2mlp_dsl.analysis.symbolic import (
    CHECKED,
    NoFormula,
    Symbolic,
    SymbolicRow,
    symbolic,
)
from s2mlp_dsl.cli.output import columns, print_json
from s2mlp_dsl.elaborate.evaluate import Steps
from s2mlp_dsl.elaborate.spec import Spec

Cells = tuple[str, str, str, str]


def print_symbolic(
    spec: Spec, model: str | None, settings: Mapping[str, str], form: str
) -> int:
    """Print the formulas of one model, or of all models of a spec."""
    chosen = [spec.choose_model(model)] if model else list(spec.models.values())
    data, texts, spent = [], [], Steps()
    for declared in chosen:
        name = declared.declaration.name.id
        try:
            found = symbolic(spec, declared, settings, spent)
        except NoFormula as why:
            data.append({"name": name, "none": str(why)})
            texts.append(f"{name}: no formula: {why}")
        else:
            data.append(_as_data(found))
            texts.append(_as_text(found))
    if form == "json":
        print_json({"models": data})
    elif texts:
        print("\n\n".join(texts))
    return 0


def _as_data(found: Symbolic) -> dict[str, Any]:
    """Formulas in the syntax of Python, and of sympy."""
    write = FormulaWriter(found.names, found.positions, plain=True).write
    params, macs = _total(found.rows)
    return {
        "name": found.name,
        "parameters": list(found.names),
        "fixed": dict(found.fixed),
        "positions": write(found.positions),
        "params": write(params),
        "macs": write(macs),
        "points": found.points,
        "statements": [
            {
                "path": row.path,
                "operator": row.operator,
                "count": write(row.count),
                "params": write(row.params),
                "macs": write(row.macs),
            }
            for row in found.rows
        ],
    }


def _as_text(found: Symbolic) -> str:
    writer = FormulaWriter(found.names, found.positions, plain=False)
    fixed = "".join(f", {name} = {value}" for name, value in found.fixed.items())
    names = f", in {', '.join(found.names)}" if found.names else ""
    lines = [f"{found.name}{names}{fixed}"]
    if writer.unit is not None:
        size = writer.write(found.positions, without_m=True)
        lines.append(f"M = {size}, the positions of the first map")
    lines += ["", *_table("statement", _statements(found.rows, writer))]
    for stack, rows in _stacks(found.rows).items():
        lines += ["", *_table(f"one iteration of {stack}", _operators(rows, writer))]
    params, macs = _total(found.rows)
    return "\n".join(
        [
            *lines,
            "",
            f"  params  {writer.write(params)}",
            f"  MACs    {writer.write(macs)}",
            "",
            f"  Exact at {found.points - CHECKED} points, and checked at {CHECKED} "
            "others.",
        ]
    )


def _table(head: str, rows: list[Cells]) -> list[str]:
    cells = [(head, "", "params", "MACs"), *rows]
    return columns(cells, "<<<<", indent="  ")


def _statements(rows: Iterable[SymbolicRow], writer: FormulaWriter) -> list[Cells]:
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


def _operators(rows: list[SymbolicRow], writer: FormulaWriter) -> list[Cells]:
    """The figures of each operator in one iteration, and of all together."""
    names = dict.fromkeys(row.operator for row in rows if row.params or row.macs)
    groups = {f"op({name})": [r for r in rows if r.operator == name] for name in names}
    groups["together"] = rows
    cells: list[Cells] = []
    for name, group in groups.items():
        params, macs = _total(group, once=True)
        cells.append((name, "", writer.write(params), writer.write(macs)))
    return cells


def _total(
    rows: Iterable[SymbolicRow], *, once: bool = False
) -> tuple[Formula, Formula]:
    """Parameters and MACs of all iterations, or with `once` of one."""
    params: Formula = {}
    macs: Formula = {}
    for row in rows:
        params = plus(params, row.params if once else times(row.copies, row.params))
        macs = plus(macs, row.macs if once else times(row.count, row.macs))
    return params, macs
