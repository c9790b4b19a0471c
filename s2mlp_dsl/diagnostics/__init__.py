"""Mistakes as records: codes, diagnostics, and their renderings."""

from s2mlp_dsl.diagnostics.data import as_data
from s2mlp_dsl.diagnostics.fix import fixed, fixes_for
from s2mlp_dsl.diagnostics.record import (
    CODES,
    AlreadyReported,
    Code,
    Diagnostic,
    Fix,
    Label,
    Report,
    SpecError,
    Suggestion,
    code,
    exit_code,
)
from s2mlp_dsl.diagnostics.sarif import as_sarif
from s2mlp_dsl.diagnostics.text import clean, render_text

__all__ = [
    "CODES",
    "AlreadyReported",
    "Code",
    "Diagnostic",
    "Fix",
    "Label",
    "Report",
    "SpecError",
    "Suggestion",
    "as_data",
    "as_sarif",
    "clean",
    "code",
    "exit_code",
    "fixed",
    "fixes_for",
    "render_text",
]
