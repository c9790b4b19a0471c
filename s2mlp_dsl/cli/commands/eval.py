"""`s2mlp-dsl eval RUN`."""

from pathlib import Path

import click

from s2mlp_dsl.cli.options import (
    PATH,
    data_option,
    device_option,
    format_option,
    partial_option,
)
from s2mlp_dsl.cli.output import print_json, say
from s2mlp_dsl.cli.runs import rebuild
from s2mlp_dsl.escape import plain

FITTING = 20  # classes whose confusions fit a screen


@click.command()
@click.argument("run", type=PATH)
@data_option
@device_option
@click.option(
    "--checkpoint",
    type=PATH,
    help="Checkpoint of the run.  [default: the newest valid one]",
)
@partial_option("the checkpoint")
@format_option("json")
def command(
    run: Path,
    data: Path | None,
    device: str | None,
    checkpoint: Path | None,
    partial: bool,
    form: str,
) -> int:
    """Evaluate the run in the folder RUN on its test set, in total and by class."""
    from s2mlp_dsl import train

    model, weight_hash = rebuild(run, partial)
    result = train.evaluate(
        model,
        run,
        data_root=data,
        device=device,
        checkpoint=checkpoint,
        weight_hash=weight_hash,
        partial=partial,
        say=say,
        failed=lambda reason: say(f"skipped: {reason}"),
    )
    for skipped in result.skipped:
        say(f"skipped {skipped}")
    if form == "json":
        print_json(result.model_dump(mode="json"))
        return 0
    print(
        f"{result.accuracy:.2%} of {result.images} test images "
        f"({result.correct} right), loss {result.loss:.4f}, {result.checkpoint}"
    )
    names = [plain(one.name) for one in result.classes]
    width = max(map(len, names))
    for name, one in zip(names, result.classes, strict=True):
        share = "none tested" if one.accuracy is None else f"{one.accuracy:7.2%}"
        print(f"  {name:<{width}}  {share}  {one.correct} of {one.images}")
    if result.unreadable:
        print(f"{result.unreadable} further images cannot be read")
    if result.confusion is not None:
        print("\n".join(_confusions(names, result.confusion)))
    return 0


def _confusions(names: list[str], matrix: tuple[tuple[int, ...], ...]) -> list[str]:
    """The matrix where it fits a screen, else the commonest mistakes."""
    if len(names) <= FITTING:
        cells = [str(n) for row in matrix for n in row] + [n[:8] for n in names]
        wide = max(map(len, cells)) + 1
        side = max(map(len, names))
        head = " " * (side + 2) + "".join(f"{name[:8]:>{wide}}" for name in names)
        rows = [
            f"  {name:<{side}}" + "".join(f"{n:>{wide}}" for n in row)
            for name, row in zip(names, matrix, strict=True)
        ]
        return [
            "confusions (a row is a class, a column what it was taken for)",
            head,
            *rows,
        ]
    mistakes = [
        (count, names[true], names[taken])
        for true, row in enumerate(matrix)
        for taken, count in enumerate(row)
        if count and true != taken
    ]
    mistakes.sort(key=lambda one: -one[0])
    lines = [
        f"  {count:>5}  {true} taken for {taken}" for count, true, taken in mistakes
    ]
    return ["commonest confusions", *lines[:FITTING]]
