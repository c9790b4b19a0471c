"""The x-axis of a study's plot: a key with numeric values, if there is one."""

from dataclasses import dataclass
from fractions import Fraction

from s2mlp_dsl.study.records import PlanRow
from s2mlp_dsl.study.summary import Line, Summary


@dataclass(frozen=True)
class Series:
    """A curve: `points` are (value, value as written in the spec, line)."""

    name: str
    points: tuple[tuple[float, str, Line], ...]


def numeric_key(summary: Summary) -> str | None:
    """The key for the x-axis: its values are numbers and differ.

    Varied keys come before arguments of cases; of several, the one with most values is
    taken. An argument is taken only if the rows differ in nothing else.
    """
    rows = summary.plan.rows
    varied: dict[str, set[Fraction | None]] = {}
    for row in rows:
        for key, value in row.axes:
            varied.setdefault(key, set()).add(number(value))
    fitting = {k: v for k, v in varied.items() if None not in v and len(v) > 1}
    if fitting:
        return max(fitting, key=lambda key: len(fitting[key]))
    if varied:
        return None
    arguments = {row.arguments for row in rows}
    keys = {tuple(key for key, _ in pairs) for pairs in arguments}
    if len(keys) != 1 or len(arguments) != len(rows) or len(rows) < 2:
        return None
    (names,) = keys
    differing = [
        key for key in names if len({dict(row.arguments)[key] for row in rows}) > 1
    ]
    values = [number(dict(row.arguments)[key]) for row in rows for key in differing]
    return differing[0] if len(differing) == 1 and None not in values else None


def number(text: str) -> Fraction | None:
    """A value as in a spec, such as `5%`, `1/4` or `1_000`; None if not a number."""
    bare = text.replace("_", "")
    try:
        return Fraction(bare[:-1]) / 100 if bare.endswith("%") else Fraction(bare)
    except (ValueError, ZeroDivisionError):
        return None


def series_of(summary: Summary, key: str) -> list[Series]:
    """The lines of a summary, grouped by what differs besides the key."""
    found: dict[str, list[tuple[float, str, Line]]] = {}
    for line in summary.lines:
        row = line.row
        value = dict(row.axes).get(key) or dict(row.arguments)[key]
        exact = number(value)
        assert exact is not None
        found.setdefault(_others(row, key), []).append((float(exact), value, line))
    return [
        Series(name, tuple(sorted(points, key=lambda point: point[0])))
        for name, points in found.items()
    ]


def _others(row: PlanRow, key: str) -> str:
    if not row.axes:
        return ""  # the case is what the key says
    rest = [f"{name} = {value}" for name, value in row.axes if name != key]
    return ", ".join(([row.case] if row.case else []) + rest)
