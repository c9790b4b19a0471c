"""A diagnostic as text, with the source lines and carets."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterator

from s2mlp_dsl.diagnostics.record import Diagnostic, Label

_RESET, _BOLD = "\x1b[0m", "\x1b[1m"
_COLOURS = {"error": "\x1b[31m", "note": "\x1b[33m", "frame": "\x1b[34m"}
_WIDEST_LINE = 160  # characters; longer source lines are cut around the span


def render_text(diagnostic: Diagnostic, *, colour: bool = False) -> str:
    """One diagnostic as lines, without a final newline.

    The source lines are in order, each once. The primary span is underlined with `^`,
    other spans with `-`. Each file has a header; a file without text has only that.
    """
    severity = diagnostic.code.severity
    title = _paint(f"{severity}[{diagnostic.code.number}]", severity, colour)
    lines = [f"{title}: {_bold(diagnostic.code.title, colour)}"]
    labels = (diagnostic.primary, *diagnostic.secondary)
    margin = max(len(str(label.span.line)) for label in labels)
    by_file: dict[str, list[Label]] = defaultdict(list)
    for label in labels:
        by_file[label.span.source.name].append(label)
    arrow = _paint(" " * margin + "-->", "frame", colour)
    bar = _paint(" " * margin + " |", "frame", colour)
    for name, in_file in by_file.items():
        first = in_file[0].span
        if not first.source.text:
            lines.append(f"{arrow} {clean(name)}: {clean(in_file[0].text)}")
            continue
        lines.append(f"{arrow} {clean(name)}:{first.line}:{first.column}")
        lines += _excerpts(diagnostic, in_file, margin, colour)
    remarks = [f"note: {note}" for note in diagnostic.notes]
    if diagnostic.help:
        remarks.append(f"help: {diagnostic.help}")
    if remarks and any(label.span.source.text for label in labels):
        lines.append(bar)
    lines += [" " * margin + clean(remark) for remark in remarks]
    return "\n".join(line.rstrip() for line in lines)


def _excerpts(
    diagnostic: Diagnostic, labels: list[Label], margin: int, colour: bool
) -> Iterator[str]:
    """The source lines of labels in one file, with their underlines."""
    bar = _paint(" " * margin + " |", "frame", colour)
    shown = None
    for label in sorted(labels, key=lambda label: (label.span.line, label.span.start)):
        primary = label is diagnostic.primary
        text, underline = _excerpt(label, "^" if primary else "-")
        if shown != (shown := (label.span.line, text)):
            yield bar
            number = _paint(f"{label.span.line:>{margin}} |", "frame", colour)
            yield f"{number} {text}"
        kind = diagnostic.code.severity if primary else "frame"
        yield f"{bar} {_paint(underline, kind, colour)}"


def _paint(text: str, kind: str, colour: bool) -> str:
    return f"{_COLOURS[kind]}{text}{_RESET}" if colour else text


def _excerpt(label: Label, mark: str) -> tuple[str, str]:
    """The source line of a label, and the underline with the label's text."""
    span = label.span
    line = span.source.line(span.line)
    start = span.column - 1
    end = min(start + max(span.end - span.start, 1), max(len(line), start + 1))
    if len(line) > _WIDEST_LINE:
        left = max(0, start - 40)
        line = line[left : left + _WIDEST_LINE]
        start, end = start - left, min(end - left, _WIDEST_LINE)
    before = _width(clean(line[:start]))
    marks = mark * max(1, _width(clean(line[start:end])))
    text = clean(label.text)
    return clean(line), f"{' ' * before}{marks} {text}".rstrip()


def clean(text: str) -> str:
    """Text for a terminal: tabs as four spaces, control characters as `�`.

    A spec is untrusted: its escape sequences must not reach the terminal.
    """
    shown = text.replace("\t", "    ")
    return "".join(
        "�" if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") else c
        for c in shown
    )


def _width(text: str) -> int:
    """Columns in a terminal: wide characters take two, combining ones none."""
    return sum(
        0
        if unicodedata.combining(c)
        else 2
        if unicodedata.east_asian_width(c) in "WF"
        else 1
        for c in text
    )


def _bold(text: str, colour: bool) -> str:
    return f"{_BOLD}{text}{_RESET}" if colour else text
