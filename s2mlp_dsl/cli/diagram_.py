"""`s2mlp-dsl diagram SPEC`."""

import sys
from pathlib import Path

import click

from s2mlp_dsl.analysis.analyze import analyze_model
from s2mlp_dsl.cli.output import model_options, print_diagnostics, spec_argument
from s2mlp_dsl.elaborate.spec import load
from s2mlp_dsl.emit.diagram import describe, draw_model
from s2mlp_dsl.emit.render import FORMS, Form, render


@click.command()
@spec_argument
@model_options
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to; the suffix is the format. Without it, DOT to standard output.",
)
def command(
    spec: Path, model: str | None, settings: dict[str, str], output: Path | None
) -> int:
    """Draw a model of SPEC as .svg, .png, .dot or .gv, or .pdf.

    Only .pdf needs a system's Graphviz. PyTorch is not needed and not imported.
    """
    form = "dot" if output is None else _form_of(output)
    loaded = load(spec)
    program = loaded.expand(loaded.choose_model(model), settings)
    print_diagnostics(loaded.report.sorted())
    analysis = analyze_model(program)
    graph = draw_model(program, analysis)
    picture = render(graph, form, program.name, describe(program, analysis))
    if output is None:
        sys.stdout.write(picture.decode())
        return 0
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(picture)
    print(f"wrote {output}", file=sys.stderr)
    return 0


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
