"""`s2mlp-dsl predict RUN IMAGE…`."""

from pathlib import Path

import click

from s2mlp_dsl.cli.options import (
    PATH,
    device_option,
    format_option,
    partial_option,
)
from s2mlp_dsl.cli.output import print_json, say
from s2mlp_dsl.cli.runs import rebuild
from s2mlp_dsl.errors import EnvironmentFailure
from s2mlp_dsl.escape import plain


@click.command()
@click.argument("run", type=PATH)
@click.argument("images", nargs=-1, required=True, type=PATH)
@click.option(
    "--top",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="Classes to print for each image.",
)
@device_option
@partial_option("the checkpoint")
@format_option("json")
def command(
    run: Path,
    images: tuple[Path, ...],
    top: int,
    device: str | None,
    partial: bool,
    form: str,
) -> int:
    """Classify IMAGES, files or folders of files, with the run in the folder RUN.

    Files and folders that cannot be read are named at the end; the exit code is 4 then.
    """
    from s2mlp_dsl import train

    model, weight_hash = rebuild(run, partial)
    failures: list[str] = []
    files = train.image_files(list(images), say, failures.append)
    predictions = train.predict(
        model,
        run,
        files,
        top,
        device=device,
        weight_hash=weight_hash,
        partial=partial,
        say=say,
        failed=failures.append,
    )
    if form == "json":
        print_json([one.model_dump(mode="json") for one in predictions])
        return _failed(failures)
    for one in predictions:
        guesses = ", ".join(f"{plain(g.name)} {g.probability:.1%}" for g in one.top)
        print(f"{one.path}: {guesses}")
    return _failed(failures)


def _failed(failures: list[str]) -> int:
    """Name what could not be classified; return the exit code."""
    for failure in failures:
        say(f"error: {failure}")
    return EnvironmentFailure.exit_code if failures else 0
