"""`s2mlp-dsl fmt SPEC…`."""

import sys
from pathlib import Path

import click

from s2mlp_dsl.bounds import limits
from s2mlp_dsl.cli.options import limit_option
from s2mlp_dsl.cli.output import print_diagnostics, say, unified_diff
from s2mlp_dsl.diagnostics import Report
from s2mlp_dsl.elaborate.files import decode_source, read_source
from s2mlp_dsl.files import replace_file
from s2mlp_dsl.frontend import parse
from s2mlp_dsl.frontend.format import format_file
from s2mlp_dsl.source import Source


@click.command()
@click.argument("specs", nargs=-1, required=True, metavar="SPEC…")
@limit_option
@click.option(
    "--check", is_flag=True, help="Change nothing; exit 1 if a file would change."
)
@click.option("--diff", is_flag=True, help="Change nothing; print the changes.")
def command(specs: tuple[str, ...], check: bool, diff: bool) -> int:
    """Format each SPEC; comments are kept.

    With `-`, read standard input and write standard output. A file that does not
    parse is left unchanged, and the exit code is 1.
    """
    wrong = changed = False
    for name in specs:
        report = Report()
        source = _read(name, report)
        file = parse(source, report)
        if report.errors:
            print_diagnostics(report.sorted())
            wrong = True
            continue
        text = format_file(file)
        # Compared as bytes: a byte order mark and CRLF line ends are changes.
        before = source.path.read_bytes() if source.path else source.text.encode()
        same = before == text.encode()
        changed = changed or not same
        if diff:
            sys.stdout.write(unified_diff(source, text, "formatted"))
        elif check:
            if not same:
                say(f"{name} would change")
        elif source.path is None:
            sys.stdout.write(text)
        elif not same:
            replace_file(source.path, text.encode())
            say(f"formatted {name}")
    return 1 if wrong or (changed and (check or diff)) else 0


def _read(name: str, report: Report) -> Source:
    if name == "-":
        data = sys.stdin.buffer.read(limits().bytes + 1)
        return decode_source(data, "<stdin>", None, report)
    return read_source(Path(name), name, report)
