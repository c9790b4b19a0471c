"""`s2mlp-dsl diff SPEC [OTHER]`."""

from pathlib import Path
from typing import Any

import click

from s2mlp_dsl.analysis.diff import Difference, Fact, Weight, difference
from s2mlp_dsl.api import Program, elaborate
from s2mlp_dsl.cli.options import PATH, format_option, set_option, spec_argument
from s2mlp_dsl.cli.output import columns, print_json
from s2mlp_dsl.diagnostics import clean
from s2mlp_dsl.escape import plain_lines, utf8


@click.command()
@spec_argument
@click.argument("other", required=False, type=PATH)
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME",
    help="Model to use. Given twice: the model of each side.",
)
@set_option("--set-first", help="Set a parameter of the first model.")
@set_option("--set", "set_other", help="Set a parameter of the second model.")
@format_option("json")
def command(
    spec: Path,
    other: Path | None,
    models: tuple[str, ...],
    set_first: dict[str, str],
    set_other: dict[str, str],
    form: str,
) -> int:
    """Show how two models differ in meaning.

    The models come from two files; or, without OTHER, from one file (--model twice);
    or they are one model with and without --set. Shapes, figures, receptive fields,
    claims and statements are compared, and the names and shapes of weights.
    """
    if len(models) > 2:
        raise click.UsageError("diff compares two models: give --model at most twice")
    if other is None and len(models) < 2 and set_first == set_other:
        raise click.UsageError("give a second file, a second --model, or --set")
    names = [*models, *models, None, None]
    other = other or spec
    first = elaborate(spec, names[0], set_first)
    second = elaborate(other, names[1], set_other)
    found = difference((first.model, first.checked), (second.model, second.checked))
    titles = (_title(spec, first), _title(other, second))
    if form == "json":
        print_json(_as_data(found, titles))
    else:
        print(plain_lines(_as_text(found, titles)))
    return 0


def _title(spec: Path, program: Program) -> str:
    return f"{utf8(str(spec))}: {program.model.name}"


def _as_data(found: Difference, titles: tuple[str, str]) -> dict[str, Any]:
    return {
        "first": titles[0],
        "second": titles[1],
        "same_function": found.same_function,
        "compatible_params": found.compatible_params,
        **{
            part: [one.model_dump() | {"same": one.same} for one in facts]
            for part, facts in (("facts", found.facts), ("claims", found.claims))
        },
        "statements": list(found.statements),
        "weights": [
            one.model_dump() | {"compatible": one.compatible} for one in found.weights
        ],
    }


def _as_text(found: Difference, titles: tuple[str, str]) -> str:
    lines = [f"- {titles[0]}", f"+ {titles[1]}", ""]
    if found.same_function:
        lines.append("They compute the same function.")
    lines += _differing("figures", found.facts)
    lines += _differing("claims", found.claims)
    if found.statements:
        lines += ["", "statements", *(f"  {clean(line)}" for line in found.statements)]
    lines += ["", *_weights(found)]
    return "\n".join(lines)


def _differing(title: str, facts: tuple[Fact, ...]) -> list[str]:
    cells = [
        (clean(fact.name), f"{_short(fact.first)} → {_short(fact.second)}")
        for fact in facts
        if not fact.same
    ]
    if not cells:
        return [f"{title}: the same"] if facts else []
    return [title, *columns(cells, "<<", indent="  ")]


def _short(text: str) -> str:
    """Hashes are cut to 12 digits."""
    return text[:12] if len(text) == 64 and text.isalnum() else text


def _weights(found: Difference) -> list[str]:
    agree = f"{found.compatible_params:,} params fit, by name and shape"
    others = [f"  {_weight(one)}" for one in found.weights if not one.compatible]
    return [f"weights: {agree}", *others] if others else [f"weights: all {agree}"]


def _weight(weight: Weight) -> str:
    times = f"  ×{weight.count}" if weight.count > 1 else ""
    first, second = (shape and list(shape) for shape in (weight.first, weight.second))
    if first is None or second is None:
        return f"{'-+'[first is None]} {weight.name} {first or second}{times}"
    return f"! {weight.name} {first} → {second}{times}"
