"""`s2mlp-dsl diff SPEC [OTHER]`."""

import json
from pathlib import Path
from typing import Any

import click

from s2mlp_dsl.analysis.analyze import Analysis, with_claims
from s2mlp_dsl.analysis.diff import Difference, Fact, Weight, difference
from s2mlp_dsl.api import elaborate
from s2mlp_dsl.cli.output import format_option, read_settings, spec_argument
from s2mlp_dsl.diagnostics import clean
from s2mlp_dsl.ir.program import Model


@click.command()
@spec_argument
@click.argument("other", required=False, type=click.Path(path_type=Path))
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME",
    help="Which model; given twice, the first one's and the other one's.",
)
@click.option(
    "--set-first",
    multiple=True,
    metavar="KEY=VALUE",
    callback=read_settings,
    help="Give a parameter of the first model a value. Can be repeated.",
)
@click.option(
    "--set",
    "set_other",
    multiple=True,
    metavar="KEY=VALUE",
    callback=read_settings,
    help="Give a parameter of the other model a value. Can be repeated.",
)
@format_option("json")
def command(
    spec: Path,
    other: Path | None,
    models: tuple[str, ...],
    set_first: dict[str, str],
    set_other: dict[str, str],
    form: str,
) -> int:
    """What differs in meaning between two models.

    The models of two files; or, without OTHER, two of one file (--model twice),
    or one model with and without --set. Shapes, figures, receptive field, claims and
    statements are compared, and which weights of one fit into the other.
    """
    if len(models) > 2:
        raise click.UsageError("two models are compared: give --model at most twice")
    if other is None and len(models) < 2 and set_first == set_other:
        raise click.UsageError("give a second file, a second --model, or --set")
    names = [*models, *models, None, None]
    first = _elaborated(spec, names[0], set_first)
    second = _elaborated(other or spec, names[1], set_other)
    found = difference(first, second)
    titles = (f"{spec}: {first[0].name}", f"{other or spec}: {second[0].name}")
    if form == "json":
        print(json.dumps(_as_data(found, titles), indent=2, ensure_ascii=False))
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
    wide = max(len(clean(one.name)) for one in others)
    return [
        title,
        *(
            f"  {clean(one.name):<{wide}}  {_short(one.first)} → {_short(one.second)}"
            for one in others
        ),
    ]


def _short(text: str) -> str:
    """Hashes are cut, as everywhere on a terminal."""
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
