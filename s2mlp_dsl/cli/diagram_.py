"""`s2mlp-dsl diagram SPEC`."""

import sys
from pathlib import Path
from typing import Literal

import click

from s2mlp_dsl.api import Program, elaborate
from s2mlp_dsl.cli.output import model_options, print_diagnostics, spec_argument
from s2mlp_dsl.elaborate.spec import load
from s2mlp_dsl.emit.render import FORMS, Form
from s2mlp_dsl.emit.theme import THEMES, ThemeName
from s2mlp_dsl.emit.views import VIEWS, Picture, View, draw


@click.command()
@spec_argument
@model_options
@click.option(
    "--view",
    type=click.Choice([*VIEWS, "graph"]),
    default="model",
    help="The whole model, one block, its shifts, its reach, or the torch.fx graph.",
)
@click.option("--block", metavar="NAME", help="Which block --view block draws.")
@click.option(
    "--theme", type=click.Choice(list(THEMES)), default="light", help="The colours."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to; the suffix is the format. Without it, DOT to standard output.",
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
    """Draw a model of SPEC as .svg, .png, .dot or .gv, or .pdf.

    Only .pdf needs a system's Graphviz. PyTorch is imported for --view graph
    alone.
    """
    form = "dot" if output is None else _form_of(output)
    loaded = load(spec)
    program = elaborate(loaded, model, settings)
    print_diagnostics(loaded.report.sorted())
    if view == "graph":
        picture = _traced(program, theme)
    else:
        picture = draw(program.model, program.analysis, view, theme, block)
    rendered = picture.render(form)
    if output is None:
        sys.stdout.write(rendered.decode())
        return 0
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(rendered)
    print(f"wrote {output}", file=sys.stderr)
    return 0


def _traced(program: Program, theme: ThemeName) -> Picture:
    from s2mlp_dsl.emit.graph_view import draw_graph

    graph = draw_graph(program.model, program.build(), THEMES[theme])
    title = f"torch.fx graph of {program.model.name}"
    return Picture(graph, title, "The lowered graph, grouped by statement.")


def _form_of(output: Path) -> Form:
    suffix = output.suffix.lower().removeprefix(".")
    known: dict[str, Form] = {form: form for form in FORMS} | {"gv": "dot"}
    if suffix not in known:
        listed = ", ".join(f".{one}" for one in known)
        raise click.BadParameter(
            f"{str(output)!r} has no known suffix; there are {listed}",
            param_hint="-o",
        )
    return known[suffix]
