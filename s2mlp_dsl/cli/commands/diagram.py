"""`s2mlp-dsl diagram SPEC`."""

import sys
from pathlib import Path
from typing import Literal

import click

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.cli.options import FILE, model_options, spec_argument
from s2mlp_dsl.elaborate.spec import load
from s2mlp_dsl.pictures.theme import THEMES, ThemeName
from s2mlp_dsl.pictures.views import VIEWS, View, form_of


@click.command()
@spec_argument
@model_options
@click.option(
    "--view",
    type=click.Choice([*VIEWS, "graph"]),
    default="model",
    show_default=True,
    help="What to draw: the model, a block, its shifts, its receptive field, or its "
    "torch.fx graph.",
)
@click.option("--block", metavar="NAME", help="Block to draw with --view block.")
@click.option(
    "--theme", type=click.Choice(list(THEMES)), default="light", help="Colours."
)
@click.option(
    "-o",
    "--output",
    type=FILE,
    metavar="FILE",
    help="Output file; its suffix is the format. Without it, print DOT.",
)
def command(
    spec: Path,
    model: str | None,
    settings: dict[str, str],
    view: View | Literal["graph"],
    block: str | None,
    theme: ThemeName,
    output: Path | None,
) -> int:
    """Draw a model of SPEC as .svg, .png, .dot, .gv or .pdf.

    Only .pdf needs Graphviz to be installed. Only --view graph imports PyTorch.
    """
    if output is not None:
        _check_suffix(output)
    loaded = load(spec)
    program = elaborate(loaded, model, settings)
    picture = program.diagram(view, theme, block)
    if output is None:
        sys.stdout.write(picture.render("dot").decode())
        return 0
    picture.save(output)
    print(f"wrote {output}", file=sys.stderr)
    return 0


def _check_suffix(output: Path) -> None:
    try:
        form_of(output)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="-o") from error
