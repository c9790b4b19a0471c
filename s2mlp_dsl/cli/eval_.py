"""`s2mlp-dsl eval RUN`."""

import json
import sys
from pathlib import Path

import click


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Where the images are.")
@click.option("--device", help="Such as cpu or cuda:1.  [default: a GPU if there is]")
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    help="One checkpoint of the run.  [default: the newest valid one]",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="What to print.",
)
def command(
    run: Path,
    data: Path | None,
    device: str | None,
    checkpoint: Path | None,
    form: str,
) -> int:
    """Test accuracy of the run in the folder RUN, in total and by class."""
    from s2mlp_dsl import train
    from s2mlp_dsl.cli.runs import rebuild

    model, weight_hash = rebuild(run)
    result = train.evaluate(
        model,
        run,
        data_root=data,
        device=device,
        checkpoint=checkpoint,
        weight_hash=weight_hash,
    )
    for skipped in result.skipped:
        print(f"skipped {skipped}", file=sys.stderr)
    if form == "json":
        print(json.dumps(result.model_dump(mode="json"), indent=2))
        return 0
    print(
        f"{result.accuracy:.2%} of {result.images} test images "
        f"({result.correct} right), loss {result.loss:.4f}, {result.checkpoint}"
    )
    width = max(len(one.name) for one in result.classes)
    for one in result.classes:
        share = "none tested" if one.accuracy is None else f"{one.accuracy:7.2%}"
        print(f"  {one.name:<{width}}  {share}  {one.correct} of {one.images}")
    return 0
