"""`s2mlp-dsl diff SPEC [OTHER]`."""

from pathlib import Path
from typing import Any

import click

from s2mlp_dsl.analysis.analyze import Analysis, with_claims
from s2mlp_dsl.analysis.diff import Difference, Fact, Weight, difference
from s2mlp_dsl.api import elaborate
from s2mlp_dsl.cli.options import PATH, format_option, set_option, spec_argument
from s2mlp_dsl.cli.output import columns, print_json
from s2mlp_dsl.diagnostics import clean
from s2mlp_dsl.ir.program import Model


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
    first = _elaborated(spec, names[0], set_first)
    second = _elaborated(other or spec, names[1], set_other)
    found = difference(first, second)
    titles = (f"{spec}: {first[0].name}", f"{other or spec}: {second[0].name}")
    if form == "json":
        print_json(_as_data(found, titles))
    else:
        print(_as_text(found, titles))
    return 0


def _elaborated(
    path: Path, model: str | None, settings: dict[str, str]
) -> tuple[Model, Analysis]:
    program = elaborate(path, model, settings)
    analysis = with_claims(program.spec, program.analysis, program.model)
    return program.model, analysis


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
    others = [one for one in facts if not one.same]
    if not others:
        return [f"{title}: the same"] if facts else []
    cells = [
        (clean(one.name), f"{_short(one.first)} → {_short(one.second)}")
        for one in others
    ]
    return [title, *(f"  {line}" for line in columns(cells, "<<"))]


def _short(text: str) -> str:
    """Hashes are cut to 12 digits."""
    return text[:12] if len(text) == 64 and text.isalnum() else text


def _weights(found: Difference) -> list[str]:
    others = [one for one in found.weights if not one.compatible]
    agree = f"{found.compatible_params:,} params fit, by name and shape"
    if not others:
        return [f"weights: all {agree}"]
    return [f"weights: {agree}", *(f"  {_weight(one)}" for one in others)]


def _weight(one: Weight) -> str:
    times = f"  ×{one.count}" if one.count > 1 else ""
    if one.second is None:
        return f"- {one.name} {list(one.first or ())}{times}"
    if one.first is None:
        return f"+ {one.name} {list(one.second)}{times}"
    return f"! {one.name} {list(one.first)} → {list(one.second)}{times}"
