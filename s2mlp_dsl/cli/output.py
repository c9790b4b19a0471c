"""What commands print: diagnostics, JSON, tables, and a line on receptive fields."""

import difflib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

import click

from s2mlp_dsl.diagnostics import Diagnostic, SpecError, as_data, render_text
from s2mlp_dsl.escape import plain
from s2mlp_dsl.files import is_same_file, replace_file
from s2mlp_dsl.source import Source

if TYPE_CHECKING:
    from s2mlp_dsl.analysis.receptive_field import ReceptiveField


def print_diagnostics(diagnostics: Iterable[Diagnostic]) -> None:
    """Print each diagnostic on standard error, in colour on a terminal."""
    colour = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    for diagnostic in diagnostics:
        print(render_text(diagnostic, colour=colour), file=sys.stderr)


def say(line: str) -> None:
    """A line for a person on standard error, beside what is printed."""
    print(plain(line), file=sys.stderr)


def print_json(data: object) -> None:
    """Print JSON on standard output, as ASCII: any terminal and pipe can carry it."""
    print(json.dumps(data, indent=2))


@contextmanager
def errors_as(form: str) -> Iterator[None]:
    """With `--format json`, print the diagnostics of a `SpecError` as JSON and exit."""
    try:
        yield
    except SpecError as error:
        if form != "json":
            raise
        print_json({"diagnostics": [as_data(one) for one in error.diagnostics]})
        raise click.exceptions.Exit(error.exit_code) from None


def write(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all, and say so on standard error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, data)
    say(f"wrote {path}")


def require_other_file(output: Path | None, *inputs: Path | None) -> None:
    """Refuse an output that is also an input, by whatever path.

    The inputs of a spec are its `files`. Raises `click.UsageError`.
    """
    for read in inputs:
        if output is not None and read is not None and is_same_file(output, read):
            raise click.UsageError(
                f"-o {output} is the input {read}; choose another file"
            )


def columns(rows: Sequence[Sequence[str]], align: str, indent: str = "") -> list[str]:
    """Lines of a table; `align` has `<` or `>` for each column."""
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return [
        indent
        + "  ".join(
            f"{cell:{side}{width}}"
            for cell, side, width in zip(row, align, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def unified_diff(source: Source, text: str, change: str) -> str:
    """A unified diff of a source and its new text; empty if they are the same."""
    lines = difflib.unified_diff(
        source.text.splitlines(keepends=True),
        text.splitlines(keepends=True),
        source.name,
        f"{source.name} ({change})",
    )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def receptive_field_text(receptive_field: "ReceptiveField | None") -> str:
    """The receptive field of a model in a line."""
    if receptive_field is None:
        return "not computed: the maps are too large or too many"
    grid = " × ".join(map(str, receptive_field.grid))
    if not receptive_field.steps:
        return f"{grid} positions, without a stack to count iterations of"
    if receptive_field.full is not None:
        return (
            f"full ({grid}) after {receptive_field.full} "
            f"of {receptive_field.iterations} iterations"
        )
    last = receptive_field.steps[-1]
    total = prod(receptive_field.grid)
    return (
        f"{last.least} to {last.most} of {total} positions ({grid}) "
        f"after {receptive_field.iterations} iterations"
    )
