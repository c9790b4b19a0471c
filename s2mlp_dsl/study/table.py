"""The table of a study: for a terminal, and as Markdown, CSV, JSON and LaTeX.

Tables for people have the columns of columns.py. CSV and JSON have the raw figures,
with accuracies as fractions.
"""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from s2mlp_dsl import escape
from s2mlp_dsl.study.columns import Column, columns
from s2mlp_dsl.study.summary import Line, Summary

_UNBOUNDED = 100_000  # characters in a line


def text(summary: Summary) -> str:
    """For a terminal: as wide as its figures need, which are never cut."""
    shown = columns(summary)
    table = RichTable(box=None, pad_edge=False, header_style="bold")
    for column in shown:
        table.add_column(
            column.title, justify="right" if column.right else "left", no_wrap=True
        )
    for line in summary.lines:
        table.add_row(*(Text(escape.plain(column.text(line))) for column in shown))
    file = io.StringIO()
    console = Console(file=file, width=_UNBOUNDED, color_system=None, markup=False)
    console.print(table)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def markdown(summary: Summary) -> str:
    """The table in GitHub's Markdown."""
    shown = columns(summary)
    rows = [[one.title for one in shown], [_rule(one) for one in shown]]
    rows += [[one.text(line) for one in shown] for line in summary.lines]
    escaped = (map(escape.markdown, row) for row in rows)
    return "".join(f"| {' | '.join(row)} |\n" for row in escaped)


def _rule(column: Column) -> str:
    return "---:" if column.right else "---"


def latex(summary: Summary) -> str:
    """A LaTeX tabular in the style of the package booktabs."""
    shown = columns(summary)
    sides = "".join("r" if one.right else "l" for one in shown)
    body = [[one.text(line) for one in shown] for line in summary.lines]
    return "\n".join(
        [
            rf"\begin{{tabular}}{{{sides}}}",
            r"\toprule",
            _latex_row([one.title for one in shown]),
            r"\midrule",
            *map(_latex_row, body),
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


def _latex_row(cells: Sequence[str]) -> str:
    return " & ".join(map(escape.latex, cells)) + r" \\"


def records(summary: Summary) -> list[dict[str, Any]]:
    """A flat record for each row, all with the same keys; None for what is missing."""
    keys = dict.fromkeys(key for row in summary.plan.rows for key, _ in row.axes)
    return [_record(line, list(keys)) for line in summary.lines]


def _record(line: Line, keys: Sequence[str]) -> dict[str, Any]:
    row, axes = line.row, dict(line.row.axes)
    found: dict[str, Any] = {"key": row.key, "label": row.label, "case": row.case}
    found |= {key: axes.get(key) for key in keys}
    found |= {"planned": line.planned, "done": len(line.done)}
    found |= {"failed": len(line.failed)}
    for name, spread in (
        ("test_top1", line.test),
        ("train_top1", line.train),
        ("gap", line.gap),
        ("test_top5", line.top5),
        ("images_per_second", line.speed),
    ):
        found[name] = None if spread is None else _rounded(spread.mean)
        found[f"{name}_std"] = None if spread is None else _rounded(spread.deviation)
    found |= {"params": row.params, "macs": row.macs}
    least, most = row.receptive_field or (None, None)
    found |= {
        "receptive_field_least": least,
        "receptive_field_most": most,
        "positions": line.positions,
    }
    for name in ("top1", "top5", "params", "macs"):
        figure = getattr(row.printed, name)
        found[f"printed_{name}"] = None if figure is None else figure.value
    found |= {"function_hash": row.function_hash, "recipe_hash": row.recipe_hash}
    return found


def _rounded(value: float | None) -> float | None:
    """Rounded, so that 0.935 is not 0.9349999999999999."""
    return None if value is None else round(value, 6)


def as_csv(summary: Summary) -> str:
    """A header and a line for each row; missing values are empty."""
    rows = records(summary)
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {k: escape.csv_cell(v) if isinstance(v, str) else v for k, v in row.items()}
        )
    return file.getvalue()


def as_json(summary: Summary) -> str:
    """The study's name and a record for each row, with the accuracy of each seed."""
    rows = records(summary)
    for row, line in zip(rows, summary.lines, strict=True):
        tests = line.test.values if line.test is not None else ()
        row["seeds"] = dict(zip(map(str, line.done), tests, strict=True))
        row["failures"] = {str(seed): one.message for seed, one in line.failed}
    return json.dumps({"study": summary.plan.name, "rows": rows}, indent=2) + "\n"
