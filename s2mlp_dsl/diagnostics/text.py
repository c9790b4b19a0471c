"""A diagnostic as text with carets. The only caret code in the house."""

import unicodedata
from collections import defaultdict

from s2mlp_dsl.diagnostics.record import Diagnostic, Label

_RESET, _BOLD = "\x1b[0m", "\x1b[1m"
_COLOURS = {"error": "\x1b[31m", "warning": "\x1b[33m", "frame": "\x1b[34m"}
_WIDEST_LINE = 160  # a longer source line is cut around the span


def render_text(diagnostic: Diagnostic, *, colour: bool = False) -> str:
    """One diagnostic, many lines, no final newline.

    Lines of the source are shown in order; the primary span is underlined with
    `^`, secondary ones with `-`. Spans in another file get their own header.
    """

    def paint(text: str, kind: str) -> str:
        return f"{_COLOURS[kind]}{text}{_RESET}" if colour else text

    severity = diagnostic.code.severity
    title = f"{severity}[{diagnostic.code.number}]"
    lines = [f"{paint(title, severity)}: {_bold(diagnostic.code.title, colour)}"]
    labels = (diagnostic.primary, *diagnostic.secondary)
    margin = max(len(str(label.span.line)) for label in labels)
    by_file: dict[str, list[Label]] = defaultdict(list)
    for label in labels:
        by_file[label.span.source.name].append(label)
    for name, in_file in by_file.items():
        first = in_file[0].span
        arrow = paint(" " * margin + "-->", "frame")
        lines.append(f"{arrow} {_clean(name)}:{first.line}:{first.column}")
        bar = paint(" " * margin + " |", "frame")
        for label in sorted(in_file, key=lambda one: one.span.start):
            primary = label is diagnostic.primary
            text, underline = _excerpt(label, "^" if primary else "-")
            number = paint(f"{label.span.line:>{margin}} |", "frame")
            lines += [
                bar,
                f"{number} {text}",
                f"{bar} {paint(underline, severity if primary else 'frame')}",
            ]
    frame = " " * margin
    lines += [f"{frame} note: {_clean(note)}" for note in diagnostic.notes]
    if diagnostic.help:
        lines.append(f"{frame} help: {_clean(diagnostic.help)}")
    return "\n".join(line.rstrip() for line in lines)


def _excerpt(label: Label, mark: str) -> tuple[str, str]:
    """The source line of a label and the underline with its text."""
    span = label.span
    line = span.source.line(span.line)
    start = span.column - 1
    end = min(start + max(span.end - span.start, 1), max(len(line), start + 1))
    if len(line) > _WIDEST_LINE:
        left = max(0, start - 40)
        line = line[left : left + _WIDEST_LINE]
        start, end = start - left, min(end - left, _WIDEST_LINE)
    before = _width(_clean(line[:start]))
    marks = mark * max(1, _width(_clean(line[start:end])))
    text = _clean(label.text)
    return _clean(line), f"{' ' * before}{marks} {text}".rstrip()


def _clean(text: str) -> str:
    """Tabs as four spaces, other control characters as a visible mark.

    A spec may hold escape sequences; a terminal must never see them.
    """
    shown = text.replace("\t", "    ")
    return "".join(
        "�" if unicodedata.category(c) in ("Cc", "Cf", "Cs") else c for c in shown
    )


def _width(text: str) -> int:
    """Columns a terminal uses: wide characters take two, combining none."""
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
