"""`s2mlp-dsl export-run RUN -o DIR`."""

from pathlib import Path

import click


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="The folder to write; new or empty.",
)
def command(run: Path, out: Path) -> int:
    """Write the run in the folder RUN as a folder that PyTorch alone can load."""
    from s2mlp_dsl import train
    from s2mlp_dsl.cli.runs import program_of

    program = program_of(run)
    source = program.source()
    train.export(program.build(drawn=False), run, out, source.text, source.model_class)
    print(f"wrote {out}: `python {out / 'load.py'}` checks it, README.md describes it")
    return 0
