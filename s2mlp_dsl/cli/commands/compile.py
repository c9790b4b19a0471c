"""`s2mlp-dsl compile SPEC --emit TARGET`."""

import sys
from pathlib import Path

import click

from s2mlp_dsl.api import Program, elaborate
from s2mlp_dsl.cli.options import (
    PATH,
    format_option,
    model_options,
    partial_option,
    spec_argument,
)
from s2mlp_dsl.cli.output import errors_as
from s2mlp_dsl.lower.shift_implementations import SHIFTS
from s2mlp_dsl.targets import TARGETS

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
    _check_options(emit, output, check, weights, partial)
    with errors_as(form):
        program = elaborate(spec, model, settings)
        data = _emit(program, emit, lowering, device, weights, partial, seed)
    if check:
        assert output is not None
        return _compare(output, data)
    if output is None:
        sys.stdout.write(data.decode())
        return 0
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(data)
    print(f"wrote {output}", file=sys.stderr)
    return 0


def _check_options(
    emit: str,
    output: Path | None,
    check: bool,
    weights: Path | None,
    partial: bool,
) -> None:
    target = TARGETS[emit]
    if check and output is None:
        raise click.UsageError("--check needs the file to compare, -o FILE")
    if check and not target.reproducible:
        raise click.UsageError(
            f"a {target.suffix} file differs each time it is written: "
            "check another target"
        )
    if target.binary and output is None:
        raise click.UsageError(f"{emit} is binary and needs a file, -o FILE")
    if weights is not None and not target.binary:
        raise click.UsageError(
            f"--weights needs a binary target, and {emit} is not one"
        )
    if partial and weights is None:
        raise click.UsageError("--partial needs --weights")


def _emit(
    program: Program,
    emit: str,
    lowering: str | None,
    device: str,
    weights: Path | None,
    partial: bool,
    seed: int,
) -> bytes:
    if not TARGETS[emit].binary:
        return program.emit(emit, None, lowering, device)
    import torch

    torch.manual_seed(seed)
    if weights is None:
        return program.emit(emit, None, lowering, device)
    from s2mlp_dsl import train

    module = program.build(initialized=partial)
    fit, _ = train.load_weights(module, weights, partial=partial)
    print("\n".join(fit.report()), file=sys.stderr)
    return program.emit(emit, module, lowering, device)


def _compare(output: Path, data: bytes) -> int:
    if not output.is_file():
        print(f"{output} does not exist", file=sys.stderr)
        return 1
    if output.read_bytes() != data:
        print(f"{output} is out of date", file=sys.stderr)
        return 1
    print(f"{output} is up to date", file=sys.stderr)
    return 0
