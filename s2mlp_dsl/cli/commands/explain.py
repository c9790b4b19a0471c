"""`s2mlp-dsl explain CODE`."""

import click

from s2mlp_dsl.diagnostics import CODES


@click.command()
@click.argument("code", required=False)
def command(code: str | None) -> int:
    """Explain the diagnostic CODE, with a wrong and a right example.

    Without CODE, list all codes.
    """
    if code is None:
        for number, one in sorted(CODES.items()):
            print(f"{number}  {one.title}")
        return 0
    known = CODES.get(code.upper())
    if known is None:
        hint = "`s2mlp-dsl explain` lists all codes"
        raise click.BadParameter(f"unknown code {code!r}; {hint}", param_hint="CODE")
    print(f"{known.number}: {known.title}\n\n{known.explanation().rstrip()}")
    return 0
