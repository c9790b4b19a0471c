"""A plan and its results as lines of a table: mean and spread over the seeds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from s2mlp_dsl.study.records import (
    Failure,
    Outcome,
    Place,
    Plan,
    PlanRow,
    Result,
    results_of,
)


@dataclass(frozen=True)
class Spread:
    """The values of a figure for the seeds of a row.

    `deviation` is the sample standard deviation, None for a single value.
    """

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        return fmean(self.values)

    @property
    def deviation(self) -> float | None:
        return stdev(self.values) if len(self.values) > 1 else None


@dataclass(frozen=True)
class Line:
    """A row with the results of its runs.

    Accuracies are fractions; `gap` is training minus test accuracy, for each seed.
    They are None if no run has finished. `planned` counts the seeds; `failed` are the
    seeds whose run failed, with the reason.
    """

    row: PlanRow
    planned: int
    done: tuple[int, ...]
    failed: tuple[tuple[int, Failure], ...]
    test: Spread | None
    train: Spread | None
    gap: Spread | None
    top5: Spread | None
    speed: Spread | None
    seconds: float

    @property
    def missing(self) -> int:
        """The number of runs that were not started, or were stopped."""
        return self.planned - len(self.done) - len(self.failed)

    @property
    def positions(self) -> int | None:
        """The number of positions of the first map."""
        if self.row.grid is None:
            return None
        count = 1
        for length in self.row.grid:
            count *= length
        return count


@dataclass(frozen=True)
class Summary:
    """A whole study. `places` are the machines and versions of all its runs."""

    plan: Plan
    lines: tuple[Line, ...]
    places: tuple[Place, ...]

    @property
    def planned(self) -> int:
        """The number of runs in the plan; shared ones count once."""
        return len(self.plan.distinct) * len(self.plan.seeds)

    @property
    def own(self) -> tuple[Line, ...]:
        """The lines that do not share the runs of an earlier line."""
        return tuple(line for line in self.lines if line.row.runs == line.row.key)

    @property
    def done(self) -> int:
        return sum(len(line.done) for line in self.own)

    @property
    def failed(self) -> int:
        return sum(len(line.failed) for line in self.own)

    @property
    def seconds(self) -> float:
        """The sum over all runs."""
        return sum(line.seconds for line in self.own)


def summarise(plan: Plan, results: Iterable[Result]) -> Summary:
    """A line for each row of the plan, over the results so far."""
    results = list(results)
    found = results_of(plan, results)
    used = [one for row in plan.distinct for one in found[row.key]]
    places = {one.place.model_dump_json(): one.place for one in used if one.place}
    return Summary(
        plan=plan,
        lines=tuple(_line(row, found[row.key], len(plan.seeds)) for row in plan.rows),
        places=tuple(places[text] for text in sorted(places)),
    )


def _line(row: PlanRow, results: Sequence[Result], planned: int) -> Line:
    outcomes = [(one.seed, one.outcome) for one in results if one.outcome is not None]
    came = [outcome for _, outcome in outcomes]
    timings = [one.timing for one in results if one.timing is not None and one.outcome]
    return Line(
        row=row,
        planned=planned,
        done=tuple(seed for seed, _ in outcomes),
        failed=tuple((one.seed, one.failure) for one in results if one.failure),
        test=_spread(one.test.top1 for one in came),
        train=_spread(one.train.top1 for one in came),
        gap=_spread(_gap(one) for one in came),
        top5=_spread(one.test.top5 for one in came),
        speed=_spread(one.images_per_second for one in timings),
        seconds=sum(one.seconds for one in timings),
    )


def _gap(outcome: Outcome) -> float:
    return outcome.train.top1 - outcome.test.top1


def _spread(values: Iterable[float]) -> Spread | None:
    values = tuple(values)
    return Spread(values) if values else None
