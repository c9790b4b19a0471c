"""Apply the fixes of diagnostics to a source."""

from collections.abc import Iterable

from s2mlp_dsl.diagnostics.record import Diagnostic, Fix
from s2mlp_dsl.source import Source


def fixes_for(source: Source, diagnostics: Iterable[Diagnostic]) -> list[Fix]:
    """The fixes in a source, in its order. Of fixes that overlap, the first."""
    found = {
        (fix.span.start, fix.span.end, fix.replacement): fix
        for fix in (diagnostic.fix for diagnostic in diagnostics)
        if fix is not None and fix.span.source is source
    }
    kept: list[Fix] = []
    for _, fix in sorted(found.items()):
        if not kept or kept[-1].span.end <= fix.span.start:
            kept.append(fix)
    return kept


def fixed(source: Source, fixes: Iterable[Fix]) -> str:
    """The text after fixes that are in order and do not overlap."""
    parts, done = [], 0
    for fix in fixes:
        parts += [source.text[done : fix.span.start], fix.replacement]
        done = fix.span.end
    return "".join([*parts, source.text[done:]])
