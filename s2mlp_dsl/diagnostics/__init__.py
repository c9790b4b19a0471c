"""Mistakes as records: codes, diagnostics, and their renderings."""

from s2mlp_dsl.diagnostics.data import as_data
from s2mlp_dsl.diagnostics.record import (
    CODES,
    Code,
    Diagnostic,
    Label,
    Poisoned,
    Report,
    SpecError,
    code,
)
from s2mlp_dsl.diagnostics.text import clean, render_text

__all__ = [
    "CODES",
    "Code",
    "Diagnostic",
    "Label",
    "Poisoned",
    "Report",
    "SpecError",
    "as_data",
    "clean",
    "code",
    "render_text",
]
