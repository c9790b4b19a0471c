"""Rows of a benchmark: a name, a figure, its target and a verdict.

A script yields its rows and ends with `main(rows, __doc__)`, which adds the options

    --quick       fewer rounds, smaller sizes
    --json FILE   also write the rows, a JSON line each

to its own. `run.py` collects the rows of all scripts.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).parents[1]
Verdict = Literal["met", "MISSED", "–"]


@dataclass(frozen=True)
class Row:
    """One figure; `target` is None for one that only informs."""

    name: str
    measured: float
    unit: str  # "×" for a ratio
    target: float | None = None
    at_least: bool = False  # else the target is an upper bound
    detail: str = ""

    @property
    def verdict(self) -> Verdict:
        if self.target is None:
            return "–"
        met = (
            self.measured >= self.target
            if self.at_least
            else self.measured <= self.target
        )
        return "met" if met else "MISSED"

    @property
    def bound(self) -> str:
        if self.target is None:
            return ""
        return f"{'≥' if self.at_least else '≤'} {figure(self.target, self.unit)}"

    @property
    def cells(self) -> tuple[str, str, str, str, str]:
        """The cells of a table row."""
        found = figure(self.measured, self.unit)
        return self.name, found, self.bound, self.verdict, self.detail

    @property
    def record(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**asdict(self), "verdict": self.verdict}


HEAD = ("figure", "measured", "target", "verdict", "how")


def figure(value: float, unit: str) -> str:
    """At least three digits, with the unit."""
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:,.{digits}f} {unit}".strip()


def main(
    rows: Callable[[argparse.Namespace], Iterator[Row]],
    doc: str,
    add_options: Callable[[argparse.ArgumentParser], None] | None = None,
) -> None:
    """Run a script: print each row as it comes; exit 1 if a target is missed."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds and sizes")
    parser.add_argument("--json", type=Path, help="also write a JSON line per row")
    if add_options is not None:
        add_options(parser)
    given = parser.parse_args()
    missed = False
    with given.json.open("a") if given.json else nullcontext() as out:
        for row in rows(given):
            print(line(row), flush=True)
            missed |= row.verdict == "MISSED"
            if out is not None:
                print(json.dumps(row.record, ensure_ascii=False), file=out, flush=True)
    sys.exit(int(missed))


def line(row: Row) -> str:
    """A row as text for a terminal."""
    name, found, bound, verdict, detail = row.cells
    return f"{name:44} {found:>12}  {bound:>10}  {verdict:6}  {detail}".rstrip()


def interleaved(
    works: Mapping[str, Callable[[], object]], rounds: int
) -> dict[str, list[float]]:
    """Seconds of each work in each round, after a warm-up round.

    The works alternate, in an order that is reversed every round, so that other load
    on the machine affects all of them. Compare them only by `ratio`.
    """
    names, taken = list(works), {name: [] for name in works}
    for number in range(rounds + 1):
        for name in names if number % 2 else reversed(names):
            start = time.perf_counter()
            works[name]()
            if number:
                taken[name].append(time.perf_counter() - start)
    return taken


def ratio(mine: list[float], theirs: list[float]) -> float:
    """The median over the rounds of `mine` / `theirs`."""
    return statistics.median(a / b for a, b in zip(mine, theirs, strict=True))
