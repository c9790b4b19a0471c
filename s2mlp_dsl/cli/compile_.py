"""`s2mlp-dsl compile SPEC --emit TARGET`."""

from pathlib import Path

import click

from s2mlp_dsl.api import Program, elaborate
from s2mlp_dsl.cli.output import model_options, spec_argument, write_output

# Target to the text it is.
_TARGETS = {
    "torch": lambda program: program.source().text,
    "ir": lambda program: program.text,
}


@click.command()
@spec_argument
@model_options
@click.option(
    "--emit",
    type=click.Choice(list(_TARGETS)),
    default="torch",
    show_default=True,
    help="torch: one PyTorch file. ir: the model without parameters, as a spec.",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Where to write it."
)
def command(
    spec: Path,
    model: str | None,
    settings: dict[str, str],
    emit: str,
    output: Path | None,
) -> int:
    """Write a model of SPEC as text, to standard output or to a file."""
    program: Program = elaborate(spec, model, settings)
    write_output(_TARGETS[emit](program), output)
    return 0
