"""`s2mlp-dsl diagram SPEC`."""

import sys
from contextlib import suppress
from pathlib import Path

import click

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.cli.options import FILE, F, model_options, spec_argument
from s2mlp_dsl.cli.output import require_other_file, say
from s2mlp_dsl.pictures.picture import format_of
from s2mlp_dsl.pictures.theme import THEMES, ThemeName
from s2mlp_dsl.pictures.views import VIEWS
from s2mlp_dsl.registry import RegistrationError

_HELP = "; ".join(f"{name}: {doc}" for name, doc in VIEWS.docs().items())


def _view_options(command: F) -> F:
    """The options of views, such as `--block NAME`. Broken packages have none."""
    options: dict[str, str] = {}
    for view in VIEWS:
        with suppress(RegistrationError):
            options |= VIEWS[view].options
    for name, help in options.items():
        command = click.option(f"--{name}", metavar="NAME", help=help)(command)
    return command


@click.command()
@spec_argument
@model_options
@click.option(
    "--view",
    type=click.Choice(VIEWS.names()),
    default="model",
    show_default=True,
    help=f"What to draw. {_HELP}.",
)
@_view_options
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
    view: str,
    theme: ThemeName,
    output: Path | None,
    **options: str | None,
) -> int:
    """Draw a model of SPEC as .svg, .png, .dot, .gv or .pdf.

    Only .pdf needs Graphviz to be installed.
    """
    if output is not None:
        format_of(output)  # an unknown one is an error before anything is drawn
    program = elaborate(spec, model, settings)
    require_other_file(output, *program.spec.files)
    picture = program.diagram(view, theme, **options)
    if output is None:
        sys.stdout.write(picture.render("dot").decode())
        return 0
    picture.save(output)
    say(f"wrote {output}")
    return 0
