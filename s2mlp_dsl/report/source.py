"""Spec text as HTML: highlighted, and marked with the statements it became."""

import re
from collections.abc import Sequence
from html import escape

from s2mlp_dsl.frontend import keywords
from s2mlp_dsl.pictures.dot_label import clean
from s2mlp_dsl.report.marks import Mark
from s2mlp_dsl.source import Source

_TOKENS = re.compile(
    r'(?P<doc>"""[\s\S]*?""")|(?P<comment>#[^\r\n]*)|(?P<string>"[^"\r\n]*")'
    r"|(?P<number>\b[0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?[KMGT]?i?%?)"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
)


def highlighted(source: Source, marks: Sequence[Mark], prefix: str) -> str:
    """The lines of a source as HTML; line n has the id `{prefix}-{n}`.

    A statement says its paths in `data-p`, one with others inside the paths of
    these in `data-of` (see page.js).
    """
    text = source.text
    kinds = _kinds(text)
    lines, start = [], 0
    for number, line in enumerate(text.split("\n"), start=1):
        inside = _line(text, start, start + len(line), kinds, marks)
        lines.append(f'<span class="l" id="{prefix}-{number}">{inside}</span>')
        start += len(line) + 1
    if not text.rpartition("\n")[2]:
        lines.pop()
    return "\n".join(lines)


def _kinds(text: str) -> list[tuple[int, int, str]]:
    known = keywords()
    found = []
    for token in _TOKENS.finditer(text):
        kind = token.lastgroup or ""
        if kind != "enum":
            found.append((token.start(), token.end(), kind))
        elif token[0] in known:
            found.append((token.start(), token.end(), "keyword"))
    return found


def _line(
    text: str,
    start: int,
    end: int,
    kinds: list[tuple[int, int, str]],
    marks: Sequence[Mark],
) -> str:
    """One line; a statement on several lines is marked on each."""
    here = [one for one in marks if one.span.start < end and one.span.end > start]
    parts, at = [], start
    for mark in here:
        first, last = max(mark.span.start, start), min(mark.span.end, end)
        parts.append(_coloured(text, at, first, kinds))
        inside = _coloured(text, first, last, kinds)
        said = "".join(
            f' data-{name}="{escape(" ".join(paths))}"'
            for name, paths in (("p", mark.paths), ("of", mark.inside))
            if paths
        )
        parts.append(f'<span class="st" tabindex="0"{said}>{inside}</span>')
        at = last
    parts.append(_coloured(text, at, end, kinds))
    return "".join(parts)


def _coloured(
    text: str, start: int, end: int, kinds: list[tuple[int, int, str]]
) -> str:
    parts, at = [], start
    for first, last, kind in kinds:
        if first < end and last > start:
            first, last = max(first, at), min(last, end)
            parts.append(_plain(text[at:first]))
            parts.append(f'<i class="{kind}">{_plain(text[first:last])}</i>')
            at = last
    parts.append(_plain(text[at:end]))
    return "".join(parts)


def _plain(text: str) -> str:
    # Tabs are control characters that may stay.
    return "\t".join(escape(clean(part)) for part in text.split("\t"))
