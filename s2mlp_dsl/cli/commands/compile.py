"""`s2mlp-dsl compile SPEC --emit TARGET`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from s2mlp_dsl.api import Program, elaborate
from s2mlp_dsl.cli.options import (
    PATH,
    format_option,
    model_options,
    partial_option,
    spec_argument,
)
from s2mlp_dsl.cli.output import errors_as, require_other_file, say, write
from s2mlp_dsl.lower.shift_implementations import SHIFTS
from s2mlp_dsl.targets import TARGETS

if TYPE_CHECKING:
    from torch import nn

_HELP = "; ".join(f"{name}: {doc}" for name, doc in TARGETS.docs().items())


@click.command()
@spec_argument
@model_options
@format_option("json", help="Format of diagnostics.")
@click.option(
    "--emit",
    type=click.Choice(TARGETS.names()),
    default="torch",
    show_default=True,
    help=f"{_HELP}.",
)
@click.option("-o", "--output", type=PATH, help="Output file.")
@click.option(
    "--check", is_flag=True, help="Write nothing; exit 1 if the file is out of date."
)
@click.option(
    "--device",
    default="cpu",
    show_default=True,
    help="Target device; selects the shift implementation.",
)
@click.option(
    "--lowering",
    type=click.Choice(SHIFTS.names()),
    help="Force this shift implementation.",
)
@click.option(
    "--weights",
    type=PATH,
    help="Weights of a binary target: a run, a checkpoint or a safetensors file.",
)
@partial_option("--weights")
@click.option(
    "--seed",
    default=0,
    show_default=True,
    help="Initialisation seed (ignored with --weights).",
)
def command(
    spec: Path,
    model: str | None,
    settings: dict[str, str],
    form: str,
    emit: str,
    output: Path | None,
    check: bool,
    device: str,
    lowering: str | None,
    weights: Path | None,
    partial: bool,
    seed: int,
) -> int:
    """Compile a model of SPEC to a target, in a file or on standard output."""
    target = TARGETS[emit]
    refusals = {
        "--check needs the file to compare, -o FILE": check and output is None,
        f"--check: a {target.suffix} file differs each time it is written": (
            check and not target.reproducible
        ),
        f"{emit} is binary and needs a file, -o FILE": target.binary and not output,
        f"--weights needs a binary target, and {emit} is not one": (
            weights is not None and not target.binary
        ),
        "--partial needs --weights": partial and weights is None,
    }
    for reason, applies in refusals.items():
        if applies:
            raise click.UsageError(reason)
    with errors_as(form):
        program = elaborate(spec, model, settings)
        require_other_file(None if check else output, *program.spec.files, weights)
        module = _module(program, weights, partial, seed) if target.binary else None
        data = program.emit(emit, module, lowering, device)
    if output is None:
        sys.stdout.write(data.decode())
    elif not check:
        write(output, data)
    else:
        current = output.read_bytes() if output.is_file() else None
        state = "up to date" if current == data else "out of date"
        say(f"{output} is {state if current is not None else 'missing'}")
        return int(current != data)
    return 0


def _module(
    program: Program, weights: Path | None, partial: bool, seed: int
) -> "nn.Module | None":
    """The module with given weights. Without them, None and a seed to draw them."""
    import torch

    torch.manual_seed(seed)
    if weights is None:
        return None
    from s2mlp_dsl import train

    module = program.build(initialized=partial)
    report, _ = train.load_weights(module, weights, partial=partial)
    for line in report.lines():
        say(line)
    return module
