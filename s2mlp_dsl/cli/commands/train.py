"""`s2mlp-dsl train SPEC`."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from s2mlp_dsl.api import Program, elaborate
from s2mlp_dsl.cli.options import (
    PATH,
    data_option,
    device_option,
    model_options,
    partial_option,
)
from s2mlp_dsl.cli.output import say
from s2mlp_dsl.diagnostics import AlreadyReported
from s2mlp_dsl.elaborate.files import Declared
from s2mlp_dsl.elaborate.models import parse_overrides
from s2mlp_dsl.elaborate.recipes import SETTINGS, resolve_recipe
from s2mlp_dsl.elaborate.spec import ChoiceError, Spec, load
from s2mlp_dsl.escape import plain
from s2mlp_dsl.ir.shape import Vector
from s2mlp_dsl.jobs import begin
from s2mlp_dsl.recipe import Recipe
from s2mlp_dsl.shipped import shipped

if TYPE_CHECKING:
    from torch import nn

    from s2mlp_dsl.train import Job

# What a spec without a recipe of its own is trained by.
SHIPPED, PAPER = "specs/recipes.arch", "paper"


@click.command()
@click.argument("spec")
@model_options
@click.option("--recipe", metavar="NAME", help="Recipe of SPEC, or FILE.arch:NAME.")
@click.option("--out", type=PATH, help="Run folder.  [default: runs/MODEL]")
@click.option(
    "--resume", is_flag=True, help="Resume from the latest checkpoint in --out."
)
@data_option
@device_option
@click.option(
    "--init-from",
    type=PATH,
    help="Initial weights: a run, a checkpoint or a safetensors file.",
)
@partial_option("--init-from")
@click.option("--dry-run", is_flag=True, help="Print the plan; write nothing.")
@click.option("--tensorboard", is_flag=True, help="Also write TensorBoard logs.")
@click.option("-q", "--quiet", is_flag=True, help="Do not print progress.")
def command(
    spec: str,
    model: str | None,
    settings: dict[str, str],
    recipe: str | None,
    out: Path | None,
    resume: bool,
    data: Path | None,
    device: str | None,
    init_from: Path | None,
    partial: bool,
    dry_run: bool,
    tensorboard: bool,
    quiet: bool,
) -> int:
    """Train a model of SPEC by a recipe.

    SPEC is a file, or FILE.arch:RECIPE. --set takes parameters of the model and
    settings of the recipe, e.g. epochs=4.
    """
    if partial and init_from is None:
        raise click.UsageError("--partial needs --init-from")
    file, recipe = _split_recipe(spec, recipe)
    loaded = load(file)
    for_recipe = {key: one for key, one in settings.items() if key in SETTINGS}
    for_model = {key: one for key, one in settings.items() if key not in SETTINGS}
    chosen, note = _choose_recipe(loaded, recipe)
    resolved = _resolve(chosen, for_recipe)
    program = _elaborate(loaded, model, for_model)
    if note and not quiet:
        say(note)
    setup = Setup(program, resolved, chosen, init_from, data, device, partial)
    if dry_run:
        return _plan(setup)
    out = out or Path("runs") / program.model.name
    return _train(setup, out, resume=resume, quiet=quiet, tensorboard=tensorboard)


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
    except AlreadyReported:
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
    if len(program.model.input_size) != 3:
        raise ChoiceError(
            f"`{program.model.name}` takes clips of {program.model.input.result}; "
            "the runner's data are images"
        )
    if not isinstance(program.model.result, Vector):
        raise ChoiceError(
            f"`{program.model.name}` ends in a map of {program.model.result}; "
            "training needs a vector of class scores: add `pool(mean)` and `linear`"
        )
    return program


@dataclass(frozen=True)
class Setup:
    """What is trained, how, on what and where."""

    program: Program
    recipe: Recipe
    declared: Declared
    init_from: Path | None
    data: Path | None
    device: str | None
    partial: bool = False

    def begin(self, quiet: bool) -> "tuple[nn.Module, Job]":
        """The model with its first weights, and the job."""
        from s2mlp_dsl import train

        model, job = begin(
            self.program,
            self.recipe,
            self.declared.declaration.name.id,
            self.program.spec.source.name,
            self.device,
        )
        if self.init_from is None:
            return model, job
        report, start = train.load_weights(model, self.init_from, partial=self.partial)
        if not quiet and os.environ.get("RANK", "0") == "0":
            for line in report.lines():
                say(line)
        return model, job.model_copy(update={"start": start})


def _train(
    setup: Setup, out: Path, *, resume: bool, quiet: bool, tensorboard: bool
) -> int:
    from s2mlp_dsl import train

    model, job = setup.begin(quiet)
    summary = train.train(
        model,
        job,
        out,
        resume=resume,
        data_root=setup.data,
        device=setup.device,
        quiet=quiet,
        tensorboard=tensorboard,
    )
    if not quiet and os.environ.get("RANK", "0") == "0":
        ended = plain(
            f"{out}: {summary.accuracy:.2%} of the test images after "
            f"{summary.epochs} epochs, {summary.seconds:.0f} s on {summary.device}"
        )
        print(ended)
    return 0


def _plan(setup: Setup) -> int:
    from s2mlp_dsl import train

    model, job = setup.begin(quiet=False)
    plan = train.plan(model, job, data_root=setup.data, device=setup.device)
    mebi = 2**20
    rates = ", ".join(f"step {step:,}: {rate:.2e}" for step, rate in plan.rates)
    print(
        f"{job.model_name} by {job.recipe_name} on {plan.processes} × {plan.device}, "
        f"{plan.precision}; {plan.parameters:,} parameters\n"
        f"data      {job.recipe.data.kind}: {plan.train_images:,} to train, "
        f"{plan.test_images:,} to test\n"
        f"steps     {plan.steps:,}: {plan.epochs} epochs of {plan.steps_per_epoch:,}, "
        f"batch {plan.batch:,}, {plan.micro_batches} × {plan.micro_batch:,} a process\n"
        f"rate      {job.recipe.schedule.kind}; {rates}\n"
        f"memory    about {plan.memory / mebi:,.0f} MiB a device: "
        f"weights {plan.weights / mebi:,.0f}, gradients {plan.gradients / mebi:,.0f}, "
        f"optimizer {plan.optimizer / mebi:,.0f}, average {plan.average / mebi:,.0f}, "
        f"activations {plan.activations / mebi:,.0f}, data {plan.data / mebi:,.0f}"
    )
    print(f"images    {plan.preprocess.summary()}")
    for line in plan.left_out:
        print(f"          {plain(line)}")
    settings = json.dumps(job.recipe.settings(), indent=2)
    print(f"recipe    {settings}")
    return 0
