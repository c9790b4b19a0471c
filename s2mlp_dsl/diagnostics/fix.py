"""Fixes of diagnostics, applied to a text."""

from collections.abc import Iterable

from s2mlp_dsl.diagnostics.record import Diagnostic, Fix
from s2mlp_dsl.source import Source


def fixes_for(source: Source, diagnostics: Iterable[Diagnostic]) -> list[Fix]:
    """The fixes that lie in a source, in its order; of overlapping ones the first."""
    found = {
        (one.fix.span.start, one.fix.span.end, one.fix.replacement): one.fix
        for one in diagnostics
        if one.fix is not None and one.fix.span.source is source
    }
    kept: list[Fix] = []
    for _, fix in sorted(found.items()):
        if not kept or kept[-1].span.end <= fix.span.start:
            kept.append(fix)
    return kept


def fixed(source: Source, fixes: Iterable[Fix]) -> str:
    """The text with fixes applied, which do not overlap and are in order."""
    parts, done = [], 0
    for fix in fixes:
        parts += [source.text[done : fix.span.start], fix.replacement]
        done = fix.span.end
    return "".join([*parts, source.text[done:]])
