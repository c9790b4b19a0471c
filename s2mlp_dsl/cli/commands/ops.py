"""`s2mlp-dsl ops [NAME]`."""

import sys
import textwrap

import click

from s2mlp_dsl.analysis.operator_docs import Argument, OperatorDoc, operator_doc
from s2mlp_dsl.cli.options import format_option
from s2mlp_dsl.cli.output import columns, print_json
from s2mlp_dsl.operators import OPERATORS, Definition
from s2mlp_dsl.registry import OURS, RegistrationError

_LEFT = 18
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
    if name not in OPERATORS:
        hint = "`s2mlp-dsl ops` lists all operators"
        raise click.BadParameter(f"no operator {name!r}; {hint}", param_hint="NAME")
    doc = operator_doc(name)
    if form == "json":
        print_json(doc.model_dump())
    else:
        print("\n".join(_lines(doc)))
    return 0


def _all(form: str) -> int:
    """List every operator; those of other packages with the package."""
    found: list[type[Definition]] = []
    broken: list[RegistrationError] = []
    for name in OPERATORS:
        try:
            found.append(OPERATORS[name])
        except RegistrationError as error:
            broken.append(error)
    if form == "json":
        print_json([operator_doc(one.name).model_dump() for one in found])
    else:
        cells = []
        for one in found:
            owner = OPERATORS.owner(one.name)
            package = "" if owner == OURS else f" ({owner})"
            cells.append((one.name, one.summary + package))
        print("\n".join(columns(cells, "<<")))
    for reason in broken:
        print(f"error[{reason.message.code.number}]: {reason}", file=sys.stderr)
    return RegistrationError.exit_code if broken else 0


def _lines(doc: OperatorDoc) -> list[str]:
    lines = [f"{doc.name}: {doc.summary}", ""]
    if doc.owner != OURS:
        lines += _said("package", doc.owner)
    lines += _said("formula", doc.formula)
    for number, argument in enumerate(doc.arguments):
        lines += _said("" if number else "arguments", _argument(argument))
    lines += _said("initialisation", doc.initialisation)
    lines += _said("paper", doc.paper)
    if doc.version is not None:
        lines += _said("version", str(doc.version))
    if doc.table1 is not None:
        found = doc.table1
        lines += _said("learned", _yes(found.learned))
        lines += _said("reads", _READS[found.reads])
        lines += _said("spatial-specific", _yes(found.spatial_specific))
        lines += _said("channel-specific", _yes(found.channel_specific))
    example = doc.example
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
    """`bias: enum = on (on, off), whether b is added`."""
    default = f" = {one.default}" if one.default is not None else ""
    if one.default is None and not one.required:
        default = " (optional)"
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
