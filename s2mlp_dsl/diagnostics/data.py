"""A diagnostic as plain data, for `--format json`."""

from typing import Any

from s2mlp_dsl.diagnostics.record import Diagnostic
from s2mlp_dsl.source import Span


def as_data(diagnostic: Diagnostic) -> dict[str, Any]:
    """JSON-ready record: code, severity, message, file, line, column, end, …

    Lines and columns count from 1; `end` is the position just after the span.
    """
    fix = diagnostic.fix
    return {
        "code": diagnostic.code.number,
        "severity": diagnostic.code.severity,
        "title": diagnostic.code.title,
        "message": diagnostic.message,
        **_place(diagnostic.primary.span),
        "secondary": [
            {"message": label.text, **_place(label.span)}
            for label in diagnostic.secondary
        ],
        "notes": list(diagnostic.notes),
        "help": diagnostic.help,
        "fix": None if fix is None else {"text": fix.replacement, **_place(fix.span)},
    }


def _place(span: Span) -> dict[str, Any]:
    line, column = span.source.position(span.end)
    return {
        "file": span.source.name,
        "line": span.line,
        "column": span.column,
        "end": {"line": line, "column": column},
    }
