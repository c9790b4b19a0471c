"""Spec text as HTML: highlighted, and marked with the statements it became."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from s2mlp_dsl.escape import xml
from s2mlp_dsl.frontend import keywords
from s2mlp_dsl.frontend.grammar import COMMENT, DOC, NUMBER, STRING, pattern
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.ir.walk import occurrences
from s2mlp_dsl.report import Subject
from s2mlp_dsl.source import Source, Span

# Terminals of the grammar, by the class that style.css colours.
_LITERALS = {"doc": DOC, "comment": COMMENT, "string": STRING, "number": NUMBER}


@dataclass(frozen=True)
class Mark:
    """Text that became the operators at some paths.

    `inside` are the paths of the operators in the bodies that follow it.
    """

    span: Span
    paths: tuple[str, ...]
    inside: tuple[str, ...]

    @property
    def tag(self) -> str:
        """Both kinds of paths are data for page.js."""
        found = {"p": self.paths, "of": self.inside}
        data = (f'data-{k}="{xml(" ".join(v))}"' for k, v in found.items() if v)
        return f'<span class="st" tabindex="0" {" ".join(data)}>'


def sources(subject: Subject, id: str) -> str:
    """The spec, then the files that other statements of the model come from."""
    spans = [visit.op.span for visit in occurrences(subject.model)]
    own = subject.program.spec.source
    files = dict.fromkeys([own, *(span.source for span in spans if span)])
    return "".join(
        f"<h4>{xml(Path(source.name).name)}</h4><pre><code>"
        f"{_highlighted(source, marks_in(source, subject.model), f'{id}-f{number}')}"
        "</code></pre>"
        for number, source in enumerate(files)
    )


def marks_in(source: Source, model: Model) -> list[Mark]:
    """The statements of a model in a source, in order; where two overlap, one mark."""
    paths: defaultdict[Span, list[str]] = defaultdict(list)
    inside: defaultdict[Span, list[str]] = defaultdict(list)
    for visit in occurrences(model):
        for statement in (visit.op, *visit.around):
            if statement.span is not None and statement.span.source == source:
                found = paths if statement is visit.op else inside
                found[_head(statement.span)].append(visit.path)
    kept: list[Mark] = []
    for span in sorted({*paths, *inside}, key=lambda span: (span.start, span.end)):
        if not kept or span.start >= kept[-1].span.end:
            others = tuple(dict.fromkeys(inside.get(span, [])))
            kept.append(Mark(span, tuple(paths.get(span, [])), others))
        else:
            # Such as the merge that the head of a parallel names.
            both = (*kept[-1].paths, *paths.get(span, []))
            kept[-1] = replace(kept[-1], paths=both)
    return kept


def _head(span: Span) -> Span:
    """Up to the brace that opens a body."""
    head = span.text.split("{")[0].rstrip()
    return Span(span.source, span.start, span.start + len(head))


def _highlighted(source: Source, marks: Sequence[Mark], prefix: str) -> str:
    """The lines of a source; line n has the id `{prefix}-{n}`.

    A statement on several lines is marked on each.
    """
    text = source.text.removesuffix("\n")
    marked = [(mark.span.start, mark.span.end, mark.tag) for mark in marks]
    tokens = [
        (*token.span(), f'<i class="{token.lastgroup}">') for token in _tokens(text)
    ]
    lines = []
    for number, line in enumerate(re.finditer(r"^.*$", text, re.MULTILINE), start=1):
        parts = []
        for start, end, tag in _pieces(*line.span(), marked):
            parts.append(tag)
            for first, last, colour in _pieces(start, end, tokens):
                parts += [colour, _plain(text[first:last]), "</i>" if colour else ""]
            parts.append("</span>" if tag else "")
        lines.append(f'<span class="l" id="{prefix}-{number}">{"".join(parts)}</span>')
    return "\n".join(lines)


def _tokens(text: str) -> Iterator[re.Match[str]]:
    """What is highlighted, each with its kind as the name of the group."""
    kinds = {kind: pattern(name).pattern for kind, name in _LITERALS.items()}
    kinds["number"] = rf"\b{kinds['number']}"
    kinds["keyword"] = rf"\b(?:{'|'.join(sorted(keywords()))})\b"
    groups = [f"(?P<{kind}>{regexp})" for kind, regexp in kinds.items()]
    return re.finditer("|".join(groups), text)


def _pieces(
    start: int, end: int, tagged: Sequence[tuple[int, int, str]]
) -> Iterator[tuple[int, int, str]]:
    """A range of text, cut where tagged ranges start and end."""
    for first, last, tag in tagged:
        first, last = max(first, start), min(last, end)
        if first < last:
            if start < first:
                yield start, first, ""
            yield first, last, tag
            start = last
    if start < end:
        yield start, end, ""


def _plain(text: str) -> str:
    # Tabs are control characters that may stay.
    return "\t".join(map(xml, text.split("\t")))
