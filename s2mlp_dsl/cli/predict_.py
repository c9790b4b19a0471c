"""`s2mlp-dsl predict RUN IMAGE…`."""

import json
from pathlib import Path

import click

from s2mlp_dsl.cli.output import format_option
from s2mlp_dsl.cli.runs import partial_option, rebuild, say


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--top", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--device", help="Such as cpu or cuda:1.  [default: a GPU if there is]")
@partial_option
@format_option("json")
def command(
    run: Path,
    images: tuple[Path, ...],
    top: int,
    device: str | None,
    partial: bool,
    form: str,
) -> int:
    """Classify IMAGES, files or folders of them, with the run in the folder RUN."""
    from s2mlp_dsl import train

    model, weight_hash = rebuild(run, partial)
    files = train.image_files(list(images))
    predictions = train.predict(
        model,
        run,
        files,
        top,
        device=device,
        weight_hash=weight_hash,
        partial=partial,
        say=say,
    )
    if form == "json":
        print(
            json.dumps([one.model_dump(mode="json") for one in predictions], indent=2)
        )
        return 0
    for one in predictions:
        guesses = ", ".join(f"{g.name} {g.probability:.1%}" for g in one.top)
        print(f"{one.path}: {guesses}")
    return 0
