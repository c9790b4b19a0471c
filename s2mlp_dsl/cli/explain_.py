"""`s2mlp-dsl explain CODE`."""

import importlib

import click

from s2mlp_dsl.diagnostics import CODES

# Every place that declares codes.
_PHASES = (
    "s2mlp_dsl.frontend.codes",
    "s2mlp_dsl.operators.codes",
    "s2mlp_dsl.elaborate.codes",
    "s2mlp_dsl.analysis.codes",
    "s2mlp_dsl.lower.codes",
    "s2mlp_dsl.targets.codes",
)


def load_codes() -> None:
    """Import every place that declares codes, so that all are known."""
    for phase in _PHASES:
        importlib.import_module(phase)


@click.command()
@click.argument("code", required=False)
def command(code: str | None) -> int:
    """What the diagnostic CODE means, with a wrong and a right example.

    Without CODE, all codes are listed.
    """
    load_codes()
    if code is None:
        for number, one in sorted(CODES.items()):
            print(f"{number}  {one.title}")
        return 0
    known = CODES.get(code.upper())
    if known is None:
        hint = "; `s2mlp-dsl explain` lists them all"
        raise click.BadParameter(f"there is no code {code!r}{hint}", param_hint="CODE")
    print(f"{known.number}: {known.title}\n\n{known.explanation().rstrip()}")
    return 0
