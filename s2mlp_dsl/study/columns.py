"""The columns of a study's table, as text for people.

Accuracies are in percent, mean ± sample standard deviation over the seeds.
"""

from collections.abc import Callable
from dataclasses import dataclass

from s2mlp_dsl.study.summary import Line, Spread, Summary

NOTHING = "–"


@dataclass(frozen=True)
class Column:
    """A column: its title, the text for a line, and whether it is right-aligned."""

    title: str
    text: Callable[[Line], str]
    right: bool = True


def columns(summary: Summary) -> list[Column]:
    """The columns of a study's table; those that would be empty are left out."""
    lines = summary.lines
    printed = any(_printed(line) != NOTHING for line in lines)
    reached = any(line.row.receptive_field is not None for line in lines)
    return [
        *_what_differs(summary),
        Column("test, %", lambda line: percent(line.test)),
        Column("training, %", lambda line: percent(line.train)),
        Column("gap", lambda line: percent(line.gap)),
        Column("top-5, %", lambda line: percent(line.top5)),
        Column("params", lambda line: f"{line.row.params:,}"),
        Column("MACs", lambda line: f"{line.row.macs:,}"),
        *([Column("receptive field", _receptive_field)] if reached else []),
        Column("images/s", _speed),
        *([Column("printed, %", _printed)] if printed else []),
        Column("runs", _runs),
    ]


def _what_differs(summary: Summary) -> list[Column]:
    """The case, and a column for each key that is varied."""
    rows = summary.plan.rows
    keys = list(dict.fromkeys(key for row in rows for key, _ in row.axes))
    named = any(row.case for row in rows) or not keys
    cases = [Column("case", _case, right=False)] if named else []
    return [*cases, *(Column(key, _axis(key)) for key in keys)]


def _case(line: Line) -> str:
    if line.row.case is not None:
        return line.row.case
    return line.row.model_name if line.row.axes else line.row.label


def _axis(key: str) -> Callable[[Line], str]:
    return lambda line: dict(line.row.axes).get(key, NOTHING)


def percent(spread: Spread | None) -> str:
    """`93.4 ± 1.5`, or without the deviation if there is only one value."""
    if spread is None:
        return NOTHING
    mean = f"{round(100 * spread.mean, 1) + 0.0:.1f}"  # + 0.0: not -0.0
    if spread.deviation is None:
        return mean
    return f"{mean} ± {100 * spread.deviation:.1f}"


def _receptive_field(line: Line) -> str:
    if line.row.receptive_field is None:
        return NOTHING
    least, most = line.row.receptive_field
    seen = f"{least}" if least == most else f"{least}–{most}"
    return f"{seen} of {line.positions}"


def _speed(line: Line) -> str:
    return NOTHING if line.speed is None else f"{line.speed.mean:,.0f}"


def _printed(line: Line) -> str:
    figures = (line.row.printed.top1, line.row.printed.top5)
    if not any(figures):
        return NOTHING
    return " / ".join(one.text if one else NOTHING for one in figures)


def _runs(line: Line) -> str:
    if len(line.done) == line.planned:
        return f"{line.planned}"
    failed = f", {len(line.failed)} failed" if line.failed else ""
    return f"{len(line.done)} of {line.planned}{failed}"
