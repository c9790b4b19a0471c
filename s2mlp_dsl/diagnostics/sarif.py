"""Diagnostics as SARIF 2.1.0, for code hosts and editors.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from s2mlp_dsl.diagnostics.record import Code, Diagnostic, Fix, Label
from s2mlp_dsl.source import Span

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/"
    "sarif-schema-2.1.0.json"
)


def as_sarif(diagnostics: Iterable[Diagnostic], version: str) -> dict[str, Any]:
    """JSON-ready SARIF: one run, a rule per code, a result per diagnostic.

    `version` is the version of s2mlp-dsl. Columns count characters, from 1.
    """
    found = list(diagnostics)
    rules = {diagnostic.code.number: diagnostic.code for diagnostic in found}
    numbers = sorted(rules)
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "s2mlp-dsl",
                        "version": version,
                        "rules": [_rule(rules[number]) for number in numbers],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [
                    _result(diagnostic, numbers.index(diagnostic.code.number))
                    for diagnostic in found
                ],
            }
        ],
    }


def _rule(code: Code) -> dict[str, Any]:
    return {
        "id": code.number,
        "shortDescription": {"text": code.title},
        "help": {"text": code.explanation(), "markdown": code.explanation()},
        "defaultConfiguration": {"level": code.severity},
    }


def _result(diagnostic: Diagnostic, rule: int) -> dict[str, Any]:
    remarks = [f"note: {note}" for note in diagnostic.notes]
    if diagnostic.help:
        remarks.append(f"help: {diagnostic.help}")
    result: dict[str, Any] = {
        "ruleId": diagnostic.code.number,
        "ruleIndex": rule,
        "level": diagnostic.code.severity,
        "message": {"text": "\n".join([diagnostic.message, *remarks])},
        "locations": [_location(diagnostic.primary.span)],
    }
    if diagnostic.secondary:
        result["relatedLocations"] = [_related(label) for label in diagnostic.secondary]
    if diagnostic.fix is not None:
        result["fixes"] = [
            _fix(diagnostic.fix, diagnostic.help or diagnostic.code.title)
        ]
    return result


def _location(span: Span) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": _artifact(span)}
    if span.source.text:
        place["region"] = _region(span)
    return {"physicalLocation": place}


def _related(label: Label) -> dict[str, Any]:
    return {**_location(label.span), "message": {"text": label.text or "see here"}}


def _fix(fix: Fix, description: str) -> dict[str, Any]:
    replacement = {
        "deletedRegion": _region(fix.span),
        "insertedContent": {"text": fix.replacement},
    }
    return {
        "description": {"text": description},
        "artifactChanges": [
            {
                "artifactLocation": _artifact(fix.span),
                "replacements": [replacement],
            }
        ],
    }


def _artifact(span: Span) -> dict[str, str]:
    return {"uri": quote(Path(span.source.name).as_posix())}


def _region(span: Span) -> dict[str, int]:
    line, column = span.source.position(span.end)
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": line,
        "endColumn": column,
    }
