"""`s2mlp-dsl export-run RUN -o DIR`."""

from pathlib import Path

import click

from s2mlp_dsl.cli.options import PATH
from s2mlp_dsl.escape import plain


@click.command()
@click.argument("run", type=PATH)
@click.option(
    "-o",
    "--out",
    required=True,
    type=PATH,
    help="Folder to write, new or empty.",
)
def command(run: Path, out: Path) -> int:
    """Export the run in the folder RUN as a folder that needs only PyTorch."""
    from s2mlp_dsl import train
    from s2mlp_dsl.cli.runs import program_of

    program = program_of(run)
    source = program.source()
    train.export(
        program.build(initialized=False), run, out, source.text, source.model_class
    )
    wrote = f"wrote {out}: `python {out / 'load.py'}` checks it, README.md describes it"
    print(plain(wrote))
    return 0
