"""`s2mlp-dsl compile SPEC --emit TARGET`."""

import sys
from pathlib import Path

import click

from s2mlp_dsl.api import Program, elaborate
from s2mlp_dsl.cli.output import (
    format_option,
    model_options,
    print_as_data,
    spec_argument,
)
from s2mlp_dsl.diagnostics import SpecError
from s2mlp_dsl.lower.lowering import LOWERINGS, Lowering
from s2mlp_dsl.targets.targets import TARGETS, Target

_HELP = ". ".join(f"{one.name}: {one.summary}" for one in TARGETS.values())


@click.command()
@spec_argument
@model_options
@format_option("json", help="How mistakes are printed.")
@click.option(
    "--emit",
    type=click.Choice(list(TARGETS)),
    default="torch",
    show_default=True,
    help=f"{_HELP}.",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Where to write it."
)
@click.option(
    "--check", is_flag=True, help="Write nothing; exit 1 unless the file is up to date."
)
@click.option(
    "--device",
    default="cpu",
    show_default=True,
    help="Where it will run, such as cuda: what computes a shift is chosen for it.",
)
@click.option(
    "--lowering", type=click.Choice(LOWERINGS), help="Compute shifts in this way."
)
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    help="Trained weights for a binary target: a run, a checkpoint or safetensors.",
)
@click.option(
    "--partial", is_flag=True, help="Take those weights that fit, and keep the others."
)
@click.option(
    "--seed", default=0, show_default=True, help="Of the initial weights, without any."
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
    lowering: Lowering | None,
    weights: Path | None,
    partial: bool,
    seed: int,
) -> int:
    """Write a model of SPEC for one of the targets, to a file or standard output."""
    target = TARGETS[emit]
    _hold_options(target, output, check, weights, partial)
    try:
        program: Program = elaborate(spec, model, settings)
        data = _made(program, target, lowering, device, weights, partial, seed)
    except SpecError as error:
        if form == "text":
            raise
        print_as_data(error.diagnostics)
        return error.exit_code
    if check:
        assert output is not None
        return _compared(output, data)
    if output is None:
        sys.stdout.write(data.decode())
        return 0
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(data)
    print(f"wrote {output}", file=sys.stderr)
    return 0


def _hold_options(
    target: Target,
    output: Path | None,
    check: bool,
    weights: Path | None,
    partial: bool,
) -> None:
    if check and output is None:
        raise click.UsageError("--check needs the file to compare: -o FILE")
    if check and target.name == "export":
        raise click.UsageError(
            "a .pt2 file differs each time it is written: compare another target"
        )
    if target.binary and output is None:
        raise click.UsageError(f"{target.name} is binary: give it a file with -o")
    if weights is not None and not target.binary:
        raise click.UsageError(f"{target.name} holds no weights")
    if partial and weights is None:
        raise click.UsageError("--partial says how to take --weights, which is missing")


def _made(
    program: Program,
    target: Target,
    lowering: Lowering | None,
    device: str,
    weights: Path | None,
    partial: bool,
    seed: int,
) -> bytes:
    if not target.binary:
        return program.emit(target.name, None, lowering, device)
    import torch

    torch.manual_seed(seed)
    if weights is None:
        return program.emit(target.name, None, lowering, device)
    from s2mlp_dsl import train

    module = program.build(drawn=partial)
    fit, _ = train.load_weights(module, weights, partial=partial)
    print("\n".join(fit.report()), file=sys.stderr)
    return program.emit(target.name, module, lowering, device)


def _compared(output: Path, data: bytes) -> int:
    if not output.is_file():
        print(f"{output} does not exist", file=sys.stderr)
        return 1
    if output.read_bytes() != data:
        print(f"{output} is not what the spec makes today", file=sys.stderr)
        return 1
    print(f"{output} is up to date", file=sys.stderr)
    return 0
