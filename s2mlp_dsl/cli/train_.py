"""`s2mlp-dsl train SPEC`."""

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from s2mlp_dsl.api import Program, elaborate
from s2mlp_dsl.cli.output import model_options, print_diagnostics
from s2mlp_dsl.diagnostics import Poisoned
from s2mlp_dsl.elaborate.files import Declared
from s2mlp_dsl.elaborate.models import parse_overrides
from s2mlp_dsl.elaborate.recipes import SETTINGS, resolve_recipe
from s2mlp_dsl.elaborate.spec import ChoiceError, Spec, load
from s2mlp_dsl.ir.recipe import Recipe
from s2mlp_dsl.ir.shape import Vector
from s2mlp_dsl.shipped import shipped

# What a spec without a recipe of its own is trained by.
SHIPPED, PAPER = "specs/recipes.arch", "paper"


@click.command()
@click.argument("spec")
@model_options
@click.option("--recipe", metavar="NAME", help="A recipe of SPEC, or FILE.arch:NAME.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The run folder.  [default: runs/MODEL]",
)
@click.option("--resume", is_flag=True, help="Go on with the run in the folder.")
@click.option("--data", type=click.Path(path_type=Path), help="Where the images are.")
@click.option("--device", help="Such as cpu or cuda:1.  [default: a GPU if there is]")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing while training.")
def command(
    spec: str,
    model: str | None,
    settings: dict[str, str],
    recipe: str | None,
    out: Path | None,
    resume: bool,
    data: Path | None,
    device: str | None,
    quiet: bool,
) -> int:
    """Train a model of SPEC by a recipe.

    SPEC is a file, or FILE.arch:RECIPE. --set takes parameters of the model and
    settings of the recipe, such as epochs=4.
    """
    file, recipe = _split_recipe(spec, recipe)
    loaded = load(file)
    for_recipe = {key: one for key, one in settings.items() if key in SETTINGS}
    for_model = {key: one for key, one in settings.items() if key not in SETTINGS}
    chosen, note = _choose_recipe(loaded, recipe)
    resolved = _resolve(chosen, for_recipe)
    program = _elaborate(loaded, model, for_model)
    print_diagnostics(loaded.report.sorted())
    if note and not quiet:
        print(note, file=sys.stderr)
    return _train(
        program,
        resolved,
        chosen,
        out or Path("runs") / program.model.name,
        resume=resume,
        data=data,
        device=device,
        quiet=quiet,
    )


def _split_recipe(spec: str, recipe: str | None) -> tuple[Path, str | None]:
    """`FILE.arch:NAME` as the file and the recipe."""
    file, colon, name = spec.rpartition(":")
    if not colon or not file.endswith(".arch"):
        return Path(spec), recipe
    if recipe is not None:
        raise ChoiceError(f"two recipes are named: `{name}` and `{recipe}`")
    return Path(file), name


def _choose_recipe(spec: Spec, name: str | None) -> tuple[Declared, str | None]:
    """The recipe, and what to say about the choice."""
    if name is not None:
        file, recipe = _split_recipe(name, None)
        if recipe is None:
            return spec.choose_recipe(name), None
        return load(file).choose_recipe(recipe), None
    if not spec.recipes:
        path = shipped(SHIPPED)
        note = (
            f"{spec.source.name} declares no recipe: using `{PAPER}`, the shipped "
            "recipe of the paper (choose another with --recipe)"
        )
        return load(path, "std:recipes").choose_recipe(PAPER), note
    return spec.choose_recipe(None), None


def _resolve(declared: Declared, settings: Mapping[str, str]) -> Recipe:
    from s2mlp_dsl.diagnostics import Report

    report = Report()
    try:
        recipe = resolve_recipe(declared, parse_overrides(settings, report), report)
    except Poisoned:
        report.raise_errors()
        raise
    report.raise_errors()
    return recipe


def _elaborate(spec: Spec, model: str | None, settings: dict[str, str]) -> Program:
    """The model, refused unless it ends in logits."""
    try:
        program = elaborate(spec, model, settings)
    except ChoiceError as error:
        if "has no parameter" not in str(error):
            raise
        raise ChoiceError(
            f"{error}; a recipe has {', '.join(f'`{one}`' for one in SETTINGS)}"
        ) from None
    if not isinstance(program.model.result, Vector):
        raise ChoiceError(
            f"`{program.model.name}` ends in a map of {program.model.result}; "
            "training needs a vector of class scores: add `pool(mean)` and `linear`"
        )
    return program


def _train(
    program: Program,
    recipe: Recipe,
    declared: Declared,
    out: Path,
    *,
    resume: bool,
    data: Path | None,
    device: str | None,
    quiet: bool,
) -> int:
    import torch

    from s2mlp_dsl import train

    analysis = program.analysis
    assert analysis.image is not None
    assert analysis.function_hash is not None and analysis.weight_hash is not None
    job = train.Job(
        model_name=program.model.name,
        spec=program.spec.source.name,
        image=analysis.image,
        classes=program.model.result.channels,
        function_hash=analysis.function_hash,
        weight_hash=analysis.weight_hash,
        model_text=program.text,
        recipe=recipe,
        recipe_name=declared.declaration.name.id,
        macs=analysis.macs,
    )
    torch.manual_seed(recipe.seed)  # the initial weights are part of the seed
    summary = train.train(
        program.build(),
        job,
        out,
        resume=resume,
        data_root=data,
        device=device,
        quiet=quiet,
    )
    if not quiet:
        print(
            f"{out}: {summary.accuracy:.2%} of the test images after "
            f"{summary.epochs} epochs, {summary.seconds:.0f} s on {summary.device}"
        )
    return 0
