"""Text to tree, and nothing more."""

from s2mlp_dsl.diagnostics import Report
from s2mlp_dsl.frontend import parse, tree
from s2mlp_dsl.source import Source


def read(text: str) -> tree.File:
    """The tree of a text without mistakes."""
    report = Report()
    file = parse(Source("spec.arch", text), report)
    assert not report.diagnostics, report.diagnostics[0].message
    return file


def faults(text: str) -> list[tuple[str, str]]:
    """(code, marked text) of every mistake of the syntax."""
    report = Report()
    parse(Source("spec.arch", text), report)
    return [(one.code.number, one.primary.span.text) for one in report.sorted()]


def value(text: str) -> tree.Expr:
    """The tree of one expression."""
    (let,) = read(f"let x = {text}").declarations
    assert isinstance(let, tree.Let)
    return let.value
