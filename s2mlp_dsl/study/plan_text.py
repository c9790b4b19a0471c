"""The plan of a study as text, before anything is trained."""

from collections import Counter
from collections.abc import Sequence

from s2mlp_dsl.escape import plain
from s2mlp_dsl.study.estimate import Estimate
from s2mlp_dsl.study.page import duration
from s2mlp_dsl.study.records import Plan, PlanRow
from s2mlp_dsl.study.work import Task

_RIGHT = (False, True, True, True, True, True)  # columns of numbers


def plan_text(plan: Plan, estimated: Estimate, todo: Sequence[Task], jobs: int) -> str:
    """Rows with params, MACs and receptive field, the runs left, and the time."""
    ahead = Counter(task.result.row for task in todo)
    cells = [("row", "params", "MACs", "receptive field", "runs left", "each")]
    for row in plan.rows:
        cells.append(
            (
                plain(row.label),
                f"{row.params:,}",
                f"{row.macs:,}",
                _receptive_field(row),
                str(ahead[row.key]) if row.runs == row.key else f"as {row.runs}",
                _each(row, estimated),
            )
        )
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    lines = [
        "  "
        + "  ".join(
            f"{cell:>{width}}" if right else f"{cell:<{width}}"
            for cell, width, right in zip(row, widths, _RIGHT, strict=True)
        ).rstrip()
        for row in cells
    ]
    recipes = ", ".join(dict.fromkeys(plain(row.recipe_name) for row in plan.rows))
    seeds = f"{len(plan.seeds)} seed{'s' * (len(plan.seeds) > 1)}"
    whole = len(plan.distinct) * len(plan.seeds)
    return "\n".join(
        [
            f"{plan.name}: {len(plan.rows)} rows, {seeds}, by {recipes}",
            "",
            *lines,
            "",
            f"  runs  {len(todo):,} to do of {whole:,}",
            f"  time  {_time(estimated, todo, jobs)}",
            "",
        ]
    )


def _receptive_field(row: PlanRow) -> str:
    """`full after 6`, or the positions of the first map that are seen at the end."""
    if row.full_receptive_field is not None:
        return f"full after {row.full_receptive_field}"
    if row.receptive_field is None:
        return "–"
    least, most = row.receptive_field
    return str(least) if least == most else f"{least} to {most}"


def _each(row: PlanRow, estimated: Estimate) -> str:
    seconds = estimated.seconds.get(row.runs)
    return "–" if seconds is None else duration(seconds)


def _time(estimated: Estimate, todo: Sequence[Task], jobs: int) -> str:
    """The time of the whole study, and where the estimate comes from."""
    if not todo:
        return "none"
    known = [estimated.seconds.get(task.result.row) for task in todo]
    seconds = [one for one in known if one is not None]
    if not seconds:
        return f"unknown: {estimated.reason}"
    at_least = "at least " if len(seconds) < len(known) else "about "
    side = f", {jobs} runs at a time" if jobs > 1 else ""
    how = "as long as the runs that are done"
    if estimated.measured:
        how = "measured here on some steps of each row"
    why = f" ({estimated.reason})" if estimated.reason else ""
    return f"{at_least}{duration(sum(seconds) / jobs)}{side}: {how}{why}"
