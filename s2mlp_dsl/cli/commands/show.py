"""`s2mlp-dsl show SPEC`."""

from pathlib import Path

import click

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.cli.options import model_options, spec_argument
from s2mlp_dsl.diagnostics import clean
from s2mlp_dsl.elaborate.spec import load
from s2mlp_dsl.elaborate.values import Traced
from s2mlp_dsl.escape import plain, plain_lines
from s2mlp_dsl.ir.print import print_model
from s2mlp_dsl.ir.program import Statement
from s2mlp_dsl.operators import SIGNATURES
from s2mlp_dsl.source import Span


@click.command()
@spec_argument
@model_options
@click.option(
    "--expanded",
    is_flag=True,
    help="Expand the model; say where each value comes from.",
)
def command(
    spec: Path, model: str | None, settings: dict[str, str], expanded: bool
) -> int:
    """Print a model of SPEC as declared, or with --expanded after expansion.

    The expanded model is a spec without parameters. If equal blocks are used more
    than once, the comments name the lines of the first use.
    """
    loaded = load(spec)
    if not expanded:
        declaration = loaded.choose_model(model).declaration
        text = declaration.span.text.replace("\t", "    ")
        print(plain_lines(f"# {plain(_place(declaration.span))}\n{text}"))
        return 0
    program = elaborate(loaded, model, settings)
    print(plain_lines(print_model(program.model, SIGNATURES, _note)), end="")
    return 0


def _note(statement: Statement) -> str | None:
    """`s2mlp.arch:23 linear(ratio * dim), ratio = 4 (s2mlp.arch:15), dim = 384`."""
    span = statement.span
    if span is None:
        return None
    said = [_place(span)]
    if isinstance(span, Traced):
        read = [
            f"{name} = {value}" + (f" ({_place(at)})" if at is not None else "")
            for name, value, at in span.reads()
        ]
        if read:
            said[0] += f" {' '.join(span.text.split())}"
        said += read
    return clean(", ".join(said))


def _place(span: Span) -> str:
    return f"{span.source.name}:{span.line}"
