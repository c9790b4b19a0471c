"""A diagnostic as JSON-ready data, for `--format json`."""

from typing import Any

from s2mlp_dsl.diagnostics.record import Diagnostic
from s2mlp_dsl.source import Span


def as_data(diagnostic: Diagnostic) -> dict[str, Any]:
    """Code, severity, message, file, line, column, end, …

    Lines and columns count from 1. `end` is the position just after the span.
    """
    fix = diagnostic.fix
    return {
        "code": diagnostic.code.number,
        "severity": diagnostic.code.severity,
        "title": diagnostic.code.title,
        "message": diagnostic.message,
        **_position(diagnostic.primary.span),
        "secondary": [
            {"message": label.text, **_position(label.span)}
            for label in diagnostic.secondary
        ],
        "notes": list(diagnostic.notes),
        "help": diagnostic.help,
        "fix": None
        if fix is None
        else {"text": fix.replacement, **_position(fix.span)},
    }


def _position(span: Span) -> dict[str, Any]:
    line, column = span.source.position(span.end)
    return {
        "file": span.source.name,
        "line": span.line,
        "column": span.column,
        "end": {"line": line, "column": column},
    }
