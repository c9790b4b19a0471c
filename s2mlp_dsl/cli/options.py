"""Options that several commands share, and their parsing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from s2mlp_dsl.bounds import raised
from s2mlp_dsl.diagnostics import AlreadyReported, Report

F = TypeVar("F", bound=Callable[..., Any])
PATH = click.Path(path_type=Path)
FILE = click.Path(path_type=Path, dir_okay=False)


def spec_argument(command: F) -> F:
    """The argument SPEC, a file, with the option `--limit`."""
    return click.argument("spec", type=PATH)(limit_option(command))


def limit_option(command: F) -> F:
    """`--limit NAME=N` raises a resource limit while the command runs."""
    return click.option(
        "--limit",
        "limits",
        multiple=True,
        metavar="NAME=N",
        callback=_limits,
        expose_value=False,
        help="Raise a resource limit, e.g. statements=10M. Can be repeated.",
    )(command)


def format_option(*forms: str, help: str = "Output format.") -> Callable[[F], F]:
    """`--format`: text, or one of the other forms."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", *forms]),
        default="text",
        show_default=True,
        help=help,
    )


def set_option(
    *names: str, help: str = "Set a parameter of the model. Can be repeated."
) -> Callable[[F], F]:
    """`--set KEY=VALUE`, parsed to a dict; by default the argument `settings`."""
    return click.option(
        *(names or ("--set", "settings")),
        multiple=True,
        metavar="KEY=VALUE",
        callback=read_settings,
        help=help,
    )


def model_options(command: F) -> F:
    """`--model NAME` and `--set KEY=VALUE`."""
    command = set_option()(command)
    return click.option("--model", metavar="NAME", help="Model to use.")(command)


device_option = click.option(
    "--device",
    help="Device, e.g. cpu or cuda:1.  [default: an accelerator if available, "
    "else cpu]",
)
data_option = click.option("--data", type=PATH, help="Dataset root directory.")


def partial_option(source: str) -> Callable[[F], F]:
    """`--partial`, for the weights that `source` gives."""
    return click.option(
        "--partial",
        is_flag=True,
        help=f"Load only the tensors of {source} that match by name and shape.",
    )


def _limits(
    context: click.Context, parameter: click.Parameter, given: tuple[str, ...]
) -> None:
    if not given:
        return
    # The parser takes time to load, which --help need not wait for.
    from s2mlp_dsl.elaborate.numbers import number
    from s2mlp_dsl.frontend import parse_expression, tree
    from s2mlp_dsl.source import Source

    limits = {}
    for name, text in read_settings(context, parameter, given).items():
        report = Report()
        try:
            node = parse_expression(Source("--limit", text), report)
            value = number(node, report) if isinstance(node, tree.Number) else None
        except AlreadyReported:
            value = None
        if not isinstance(value, int):
            raise click.BadParameter(f"{text!r} is not a whole number such as 10M")
        limits[name] = value
    try:
        context.with_resource(raised(**limits))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def read_settings(
    context: click.Context, parameter: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    """The callback of a repeatable option `KEY=VALUE`."""
    settings: dict[str, str] = {}
    for text in given:
        key, equals, value = map(str.strip, text.partition("="))
        if not equals or not key or not value:
            raise click.BadParameter(f"{text!r} is not KEY=VALUE")
        if key in settings:
            raise click.BadParameter(f"{key} is set twice")
        settings[key] = value
    return settings
