"""Diagnostics: codes, records of mistakes, and their renderings."""

from s2mlp_dsl.diagnostics.catalogue import CODES
from s2mlp_dsl.diagnostics.data import as_data
from s2mlp_dsl.diagnostics.fix import fixed, fixes_for
from s2mlp_dsl.diagnostics.record import (
    Code,
    Diagnostic,
    Fix,
    Label,
    Message,
    Suggestion,
    exit_code,
)
from s2mlp_dsl.diagnostics.report import AlreadyReported, Report, SpecError
from s2mlp_dsl.diagnostics.sarif import as_sarif
from s2mlp_dsl.diagnostics.text import clean, render_text

__all__ = [
    "CODES",
    "AlreadyReported",
    "Code",
    "Diagnostic",
    "Fix",
    "Label",
    "Message",
    "Report",
    "SpecError",
    "Suggestion",
    "as_data",
    "as_sarif",
    "clean",
    "exit_code",
    "fixed",
    "fixes_for",
    "render_text",
]
