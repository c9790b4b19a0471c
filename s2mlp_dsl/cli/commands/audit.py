"""`s2mlp-dsl audit FILE.py:NAME`."""

from pathlib import Path

import click

from s2mlp_dsl.cli.options import format_option
from s2mlp_dsl.cli.output import print_json
from s2mlp_dsl.escape import plain_lines

# As in verify/audit/tags.py, which imports torch.
_LAYOUTS = ("BHWC", "BCHW", "BTHWC", "BTCHW", "BCTHW")


@click.command()
@click.argument("code", metavar="FILE.py:NAME")
@click.option(
    "--layout",
    type=click.Choice(_LAYOUTS),
    help="Axis order of its maps.  [default: all are tried, BHWC and BCHW first]",
)
@click.option(
    "--size",
    nargs=3,
    type=click.IntRange(2, 64),
    default=(6, 7, 16),
    show_default=True,
    metavar="H W C",
    help="Height, width and channels of the test maps.",
)
@click.option(
    "--backend",
    default="inductor",
    show_default=True,
    help="torch.compile backend; aot_eager is fast and needs no C++ compiler.",
)
@format_option("json")
def command(
    code: str,
    layout: str | None,
    size: tuple[int, int, int],
    backend: str,
    form: str,
) -> int:
    """Check whether PyTorch code computes a spatial shift, and which.

    THE FILE IS EXECUTED, in a separate process: use audit only on code that you
    would run yourself. NAME is a module, a class or function without arguments that
    returns one, or a function that takes a map. The exit code is 0 if the code
    computes one shift, eager and compiled, else 1.
    """
    from s2mlp_dsl.audit.run import audit

    file, colon, name = code.rpartition(":")
    if not colon or not name:
        raise click.UsageError("name what to audit: FILE.py:NAME")
    if not Path(file).is_file():
        raise click.UsageError(f"{file} is not a file")
    result = audit(Path(file), name, layout=layout, size=size, backend=backend)
    if form == "json":
        print_json({"shift": result.is_shift, **result.found})
    else:
        print(plain_lines(result.report()))
    return 0 if result.is_shift else 1
