"""`s2mlp-dsl ops [NAME]`."""

import sys
import textwrap

import click

from s2mlp_dsl.analysis.operator_docs import Argument, Sheet, sheet_of
from s2mlp_dsl.cli.options import format_option
from s2mlp_dsl.cli.output import columns, print_json
from s2mlp_dsl.operators import (
    OURS,
    REGIONS,
    Operator,
    Region,
    RegistrationError,
    find,
    names,
)

_LEFT = 16
_WIDTH = 88


@click.command()
@click.argument("name", required=False)
@format_option("json")
def command(name: str | None, form: str) -> int:
    """Describe the operator NAME: its formula, arguments, initialisation and costs.

    Without NAME, list all operators. PyTorch is not imported.
    """
    if name is None:
        return _all(form)
    if name not in REGIONS and find(name) is None:
        hint = "`s2mlp-dsl ops` lists all operators"
        raise click.BadParameter(f"no operator {name!r}; {hint}", param_hint="NAME")
    sheet = sheet_of(name)
    if form == "json":
        print_json(sheet.model_dump())
    else:
        print("\n".join(_lines(sheet)))
    return 0


def _all(form: str) -> int:
    """List every operator; those of other packages with the package."""
    sheets: list[Operator | Region] = []
    broken: list[RegistrationError] = []
    for name in [*names(), *REGIONS]:
        try:
            sheets.append(find(name) or REGIONS[name])
        except RegistrationError as error:
            broken.append(error)
    if form == "json":
        print_json([sheet_of(one.name).model_dump() for one in sheets])
    else:
        cells = []
        for one in sheets:
            owner = one.owner if isinstance(one, Operator) else None
            cells.append((one.name, one.summary + (f" ({owner})" if owner else "")))
        print("\n".join(columns(cells, "<<")))
    for reason in broken:
        print(f"error[{reason.code.number}]: {reason}", file=sys.stderr)
    return RegistrationError.exit_code if broken else 0


def _lines(sheet: Sheet) -> list[str]:
    lines = [f"{sheet.name}: {sheet.summary}", ""]
    if sheet.owner != OURS:
        lines += _said("package", sheet.owner)
    lines += _said("formula", sheet.formula)
    for number, argument in enumerate(sheet.arguments):
        lines += _said("" if number else "arguments", _argument(argument))
    lines += _said("initialisation", sheet.initialisation)
    lines += _said("paper", sheet.paper)
    if sheet.version is not None:
        lines += _said("version", str(sheet.version))
    if sheet.table1 is not None:
        found = sheet.table1
        lines += _said("learned", _yes(found.learned))
        lines += _said("reads", _READS[found.reads])
        lines += _said("position-bound", _yes(found.position_bound))
        lines += _said("channel-bound", _yes(found.channel_bound))
    example = sheet.example
    shapes = f"{example.enters} → " if example.enters else "→ "
    lines += _said("example", example.statement)
    lines += _said("", shapes + example.leaves)
    return lines + _said("", f"{example.params:,} params, {example.macs:,} MACs")


_READS = {
    "position": "its own position",
    "neighbours": "positions around its own",
    "everything": "every position",
}


def _argument(one: Argument) -> str:
    """`bias: word = on (on, off), whether b is there`."""
    default = f" = {one.default}" if one.default is not None else ""
    choices = f" ({', '.join(one.choices)})" if one.choices else ""
    return f"{one.name}: {one.kind}{default}{choices}, {one.doc}"


def _yes(found: bool) -> str:
    return "yes" if found else "no"


def _said(what: str, text: str) -> list[str]:
    """A heading at the left, its text wrapped beside it."""
    first, *others = (
        line
        for written in text.splitlines()
        for line in textwrap.wrap(written, _WIDTH - _LEFT, break_on_hyphens=False)
    )
    return [f"  {what:<{_LEFT}}{first}", *(" " * (_LEFT + 2) + one for one in others)]
