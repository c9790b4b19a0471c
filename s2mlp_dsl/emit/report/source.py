"""Spec text as HTML: highlighted, and marked with the statements it became."""

import re
from collections import defaultdict
from html import escape

from s2mlp_dsl.emit.dot_label import clean
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.ir.walk import occurrences
from s2mlp_dsl.source import Source, Span
from s2mlp_dsl.syntax import keywords

_TOKENS = re.compile(
    r'(?P<doc>"""[\s\S]*?""")|(?P<comment>#[^\r\n]*)|(?P<string>"[^"\r\n]*")'
    r"|(?P<number>\b[0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?[KMGT]?i?%?)"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
)


def sources_of(own: Source, model: Model) -> list[Source]:
    """The spec itself, then the files that statements of the model stand in."""
    spans = [one.op.span for one in occurrences(model)]
    return list(dict.fromkeys([own, *(span.source for span in spans if span)]))


def statements_of(model: Model) -> dict[Span, list[str]]:
    """Each place in a source to the paths of what it became."""
    found: defaultdict[Span, list[str]] = defaultdict(list)
    for one in occurrences(model):
        if one.op.span is not None:
            found[one.op.span].append(one.path)
    return dict(found)


def highlighted(source: Source, statements: dict[Span, list[str]], prefix: str) -> str:
    """The lines of a source as HTML; line n has the id `{prefix}-{n}`."""
    text = source.text
    kinds = _kinds(text)
    marks = _marks(source, statements)
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
        if kind != "word":
            found.append((token.start(), token.end(), kind))
        elif token[0] in known:
            found.append((token.start(), token.end(), "keyword"))
    return found


def _marks(
    source: Source, statements: dict[Span, list[str]]
) -> list[tuple[int, int, str]]:
    """Where statements stand; of places that overlap, the first."""
    found: list[tuple[int, int, str]] = []
    spans = [one for one in statements if one.source == source]
    for span in sorted(spans, key=lambda one: (one.start, one.end)):
        if not found or span.start >= found[-1][1]:
            found.append((span.start, span.end, " ".join(statements[span])))
    return found


def _line(
    text: str,
    start: int,
    end: int,
    kinds: list[tuple[int, int, str]],
    marks: list[tuple[int, int, str]],
) -> str:
    """One line; a statement on several lines is marked on each."""
    here = [one for one in marks if one[0] < end and one[1] > start]
    parts, at = [], start
    for first, last, paths in here:
        first, last = max(first, start), min(last, end)
        parts.append(_coloured(text, at, first, kinds))
        inside = _coloured(text, first, last, kinds)
        paths = escape(paths)
        parts.append(f'<span class="st" tabindex="0" data-p="{paths}">{inside}</span>')
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
