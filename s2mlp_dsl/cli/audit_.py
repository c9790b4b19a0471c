"""`s2mlp-dsl audit FILE.py:NAME`."""

import json
from pathlib import Path

import click

# As in verify/audit/tags.py, which imports torch.
_LAYOUTS = ("BHWC", "BCHW", "BTHWC", "BTCHW", "BCTHW")


@click.command()
@click.argument("code", metavar="FILE.py:NAME")
@click.option(
    "--layout",
    type=click.Choice(_LAYOUTS),
    help="The axes of its maps.  [default: each is tried, BHWC and BCHW first]",
)
@click.option(
    "--size",
    nargs=3,
    type=click.IntRange(2, 64),
    default=(6, 7, 16),
    show_default=True,
    metavar="H W C",
    help="Height, width and channels of the maps that it is tried on.",
)
@click.option(
    "--backend",
    default="inductor",
    show_default=True,
    help="Of torch.compile; aot_eager is quick and needs no C++ compiler.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="What to print.",
)
def command(
    code: str,
    layout: str | None,
    size: tuple[int, int, int],
    backend: str,
    form: str,
) -> int:
    """Find out whether someone's PyTorch code is a shift, and which.

    THE FILE IS EXECUTED, in a process of its own: run it on code that you would
    run yourself. NAME is a module, a class or function without arguments that
    makes one, or a function that takes a map. Exits 0 if it is one shift, eager
    and compiled, and 1 if not.
    """
    from s2mlp_dsl.audit.run import audit

    file, colon, name = code.rpartition(":")
    if not colon or not name:
        raise click.UsageError("say which name of the file: FILE.py:NAME")
    if not Path(file).is_file():
        raise click.UsageError(f"there is no file {file}")
    result = audit(Path(file), name, layout=layout, size=size, backend=backend)
    if form == "json":
        print(json.dumps({"shift": result.is_shift, **result.found}, indent=2))
    else:
        print(result.report())
    return 0 if result.is_shift else 1
