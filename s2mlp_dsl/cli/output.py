"""Diagnostics on a terminal, and options that several commands share."""

import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from s2mlp_dsl.bounds import raised
from s2mlp_dsl.diagnostics import (
    AlreadyReported,
    Diagnostic,
    Report,
    as_data,
    render_text,
)

F = TypeVar("F", bound=Callable[..., Any])


def print_diagnostics(diagnostics: Iterable[Diagnostic]) -> None:
    """Each diagnostic on standard error, in colour where that is a terminal."""
    colour = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    for one in diagnostics:
        print(render_text(one, colour=colour), file=sys.stderr)


def print_as_data(diagnostics: Iterable[Diagnostic]) -> None:
    """`{"diagnostics": […]}` on standard output, for `--format json`."""
    data = {"diagnostics": [as_data(one) for one in diagnostics]}
    print(json.dumps(data, indent=2))


def spec_argument(command: F) -> F:
    """SPEC: a file, `FILE:MODEL` not among them; see `--model`. And `--limit`."""
    command = limit_option(command)
    return click.argument("spec", type=click.Path(path_type=Path))(command)


def limit_option(command: F) -> F:
    """`--limit NAME=N` moves a bound while the command runs."""
    return click.option(
        "--limit",
        "limits",
        multiple=True,
        metavar="NAME=N",
        callback=_limits,
        expose_value=False,
        help="Move a bound, such as statements=10M. Can be repeated.",
    )(command)


def format_option(*forms: str, help: str = "What to print.") -> Callable[[F], F]:
    """`--format`: text, or one of the other forms."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", *forms]),
        default="text",
        show_default=True,
        help=help,
    )


def model_options(command: F) -> F:
    """`--model NAME` and `--set key=value`."""
    command = click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="KEY=VALUE",
        callback=read_settings,
        help="Give a parameter a value. Can be repeated.",
    )(command)
    return click.option("--model", metavar="NAME", help="Which model of the file.")(
        command
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
            raise click.BadParameter(f"{text!r} is not a whole number, such as 10M")
        limits[name] = value
    try:
        context.with_resource(raised(**limits))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def read_settings(
    context: click.Context, parameter: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    """The callback of an option `KEY=VALUE` that can be repeated."""
    settings: dict[str, str] = {}
    for one in given:
        key, equals, value = one.partition("=")
        key = key.strip()
        if not equals or not key or not value.strip():
            raise click.BadParameter(f"{one!r} is not KEY=VALUE")
        if key in settings:
            raise click.BadParameter(f"{key} is set twice")
        settings[key] = value.strip()
    return settings
