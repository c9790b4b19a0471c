"""The report of a study in Markdown: what was run, where, and the results."""

from collections.abc import Iterator

from s2mlp_dsl.escape import markdown, markdown_code, markdown_line
from s2mlp_dsl.recipe import Recipe
from s2mlp_dsl.recipe.datasets.digits import Digits
from s2mlp_dsl.study import table
from s2mlp_dsl.study.columns import NOTHING
from s2mlp_dsl.study.records import Place
from s2mlp_dsl.study.summary import Summary

_DIGITS = 12  # of a hash
_HOUR = 3600
# Required settings are always shown, the length that a recipe does not use never.
_SAID = {"data": None, "epochs": None, "steps": None, "batch": None}
_DEFAULTS = Recipe(data=Digits(), epochs=1, batch=1).settings() | _SAID


def page(summary: Summary, picture: str | None = None) -> str:
    """The whole page. `picture` is the file of the plot, if there is one."""
    plan = summary.plan
    title = [f"# {plan.name}", ""]
    doc = [markdown_line(plan.doc), ""] if plan.doc else []
    shown = [f"![{plan.name}]({picture})", ""] if picture else []
    parts = [
        *title,
        *doc,
        *facts(summary),
        "",
        "Accuracies are top-1 in percent of the test images, mean ± sample standard "
        "deviation over the seeds; the gap is training minus test accuracy. The "
        "receptive field is how many positions of the first map the worst and the best "
        "position sees.",
        "",
        table.markdown(summary),
        *shown,
        *_incomplete(summary),
        "## What was run",
        "",
        *_rows(summary),
        "",
        *_recipes(summary),
        *_places(summary),
    ]
    return "\n".join(parts).rstrip() + "\n"


def facts(summary: Summary) -> list[str]:
    """A sentence: the study, its data, its seeds and how far it is."""
    plan = summary.plan
    data = sorted({row.recipe["data"]["kind"] for row in plan.rows})
    seeds = ", ".join(map(str, plan.seeds))
    some = "seed" if len(plan.seeds) == 1 else "seeds"
    counted = f"{summary.done} of {summary.planned} runs have finished"
    if summary.done == summary.planned:
        counted = f"{summary.done} runs"
    failed = f", {summary.failed} failed" if summary.failed else ""
    took = (
        f", {duration(summary.seconds)} of training and tests" if summary.done else ""
    )
    return [
        f"Study `{plan.name}` of {markdown_code(plan.spec)} on {', '.join(data)}, "
        f"{some} {seeds}: {counted}{failed}{took}."
    ]


def duration(seconds: float) -> str:
    """`48 s`, `7 min`, `2.1 h`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < _HOUR else f"{seconds / _HOUR:.1f} h"


def machines(summary: Summary) -> list[str]:
    """The machines, each in a phrase."""
    return list(dict.fromkeys(_machine(place) for place in summary.places))


def _machine(place: Place) -> str:
    threads = f"{place.threads} thread{'s' if place.threads != 1 else ''}"
    where = threads if place.device == "cpu" else place.device
    torch = place.versions.get("torch", "unknown")
    return f"{place.machine}, {where}, {place.precision}, PyTorch {torch}"


def missing(summary: Summary) -> Iterator[str]:
    """List items: runs that failed or are not done."""
    for line in summary.own:
        for seed, failure in line.failed:
            yield (
                f"- {_bold(line.row.label)}, seed {seed}, failed with "
                f"{failure.exit_code}: {markdown(failure.message)}"
            )
        if line.missing:
            runs = "run" if line.missing == 1 else "runs"
            yield f"- {_bold(line.row.label)}: {line.missing} {runs} not done"


def _bold(label: str) -> str:
    """Blanks at its ends would leave the asterisks as they are."""
    return f"**{markdown(label.strip()) or NOTHING}**"


def _incomplete(summary: Summary) -> list[str]:
    lines = list(missing(summary))
    return ["## What is missing", "", *lines, ""] if lines else []


def _rows(summary: Summary) -> Iterator[str]:
    yield "| row | model | function | weights | recipe |"
    yield "| --- | --- | --- | --- | --- |"
    for row in summary.plan.rows:
        arguments = ", ".join(f"{key} = {value}" for key, value in row.arguments)
        call = f"{row.model_name}({arguments})" if arguments else row.model_name
        hashes = (row.function_hash, row.weight_hash, row.recipe_hash)
        label = row.label
        if row.runs != row.key:
            label += f" (the runs of {summary.plan.row(row.runs).label})"
        code = [call, *(one[:_DIGITS] for one in hashes)]
        cells = [markdown(label), *(markdown_code(one) for one in code)]
        yield f"| {' | '.join(cells)} |"


def _recipes(summary: Summary) -> Iterator[str]:
    """Each recipe once, without the settings that have their default."""
    recipes = {row.recipe_hash: row for row in summary.plan.rows}
    first = next(iter(recipes.values()))
    for row in recipes.values():
        usual = _DEFAULTS if row is first else first.recipe
        settings = {k: v for k, v in row.recipe.items() if usual.get(k) != v}
        said = ", ".join(f"{key} = {written(one)}" for key, one in settings.items())
        rest = "by default" if row is first else "the same"
        name = f"`{row.recipe_hash[:_DIGITS]}` ({markdown(row.recipe_name)})"
        yield f"Recipe {name}: {markdown(said)}, the rest {rest}."
        yield ""


def written(value: object) -> str:
    """A setting as a recipe writes it."""
    match value:
        case None:
            return "none"
        case bool():
            return "on" if value else "off"
        case {"kind": kind, **rest}:
            inside = ", ".join(f"{key} = {written(one)}" for key, one in rest.items())
            return f"{kind}({inside})" if inside else str(kind)
        case list() | tuple():
            return f"[{', '.join(map(written, value))}]"
        case float():
            return f"{value:g}"
    return str(value)


def _places(summary: Summary) -> Iterator[str]:
    for place in summary.places:
        versions = ", ".join(f"{name} {one}" for name, one in place.versions.items())
        yield markdown_line(f"Computed on {_machine(place)} ({versions}).")
        yield ""
