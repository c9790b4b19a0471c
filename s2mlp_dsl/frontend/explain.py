"""Why the parser cannot go on, and what to write instead."""

import re
from collections.abc import Collection
from difflib import get_close_matches

from lark import Token

from s2mlp_dsl.bounds import limits
from s2mlp_dsl.diagnostics import AlreadyReported, Fix, Report
from s2mlp_dsl.diagnostics.catalogue import syntax
from s2mlp_dsl.frontend.build import place
from s2mlp_dsl.frontend.grammar import (
    COMPARISON,
    DOC,
    END,
    NAME,
    NEWLINE,
    NUMBER,
    STRING,
    declaring,
    directions,
    keywords,
    spelled,
)
from s2mlp_dsl.frontend.skip import goes_on
from s2mlp_dsl.source import Source, Span

_OPERATORS = frozenset(["+", "-", "*", "/", COMPARISON, "[", "("])
_VALUE = frozenset([NAME, NUMBER, STRING, "(", "[", "-"])
# Terminals that have many forms.
_FORMS = {
    NAME: "a name",
    NUMBER: "a number",
    STRING: "a string",
    COMPARISON: "a comparison such as `==`",
    DOC: 'a """description"""',
    NEWLINE: "the end of the line",
    END: "the end of the file",
}


def unexpected(
    report: Report, source: Source, token: Token, terminals: set[str]
) -> AlreadyReported:
    """Report a token that cannot stand where it does; these terminals could."""
    allowed = spelled(terminals) or {END}
    if token.type == END:
        end = len(source.text.rstrip()) or len(source.text)
        span = Span(source, end, end)
        return report.add(syntax.UNEXPECTED_END, span, expected=_expected(allowed))
    span = Span(source, *place(token))
    if token == "=" and "~=" in allowed:
        return report.add(syntax.ASSIGNED_FACT, span, fix="==")
    if token == "{" and (misspelt := _misspelt(source, span.start)):
        at, word = misspelt
        return report.add(syntax.MISSPELT_KEYWORD, at, fix=word, word=word)
    if token.type == NEWLINE:
        return _line_ended(report, span, allowed)
    return _misplaced(report, token, span, allowed)


def _line_ended(report: Report, span: Span, allowed: set[str]) -> AlreadyReported:
    message = syntax.UNEXPECTED_NEWLINE
    if "{" in allowed:
        message = syntax.BRACE_ON_NEXT_LINE
    elif goes_on(span.source.text, span.end):
        message = syntax.UNBRACKETED_LINES
    return report.add(message, span, expected=_expected(allowed))


def _misplaced(
    report: Report, token: Token, span: Span, allowed: set[str]
) -> AlreadyReported:
    """With what people bring along from other languages."""
    source, word, expected = span.source, token.value, _expected(allowed)
    before = source.text[: span.start].rpartition("\n")[2]
    words = before.split()
    if source.text.startswith("//", span.start):
        fix = Fix(Span(source, span.start, span.start + 2), "#")
        return report.add(syntax.SLASHES, span, fix=fix, expected=expected)
    if word == "=" and before.endswith("="):
        return report.add(syntax.DOUBLE_EQUALS, span, fix="", expected=expected)
    if word == "{" and words[-1:] == ["branch"]:
        return report.add(syntax.LONE_BRANCH, span, expected=expected)
    if allowed == {NAME} and (found := re.search(r"(\w+)\s*:\s*$", before)):
        name, message = found[1], syntax.DEFAULT_AS_KIND
        return report.add(message, span, expected=expected, name=name, value=word)
    if "(" in allowed and token.type in (NUMBER, STRING, NAME):
        if found := re.search(r"([A-Za-z_]\w*)\s+$", before):
            name, message = found[1], syntax.NO_PARENTHESES
            return report.add(message, span, expected=expected, name=name, value=word)
    elif words[:1] == ["then"]:
        return report.add(syntax.THEN_ON_NEXT_LINE, span, expected=expected)
    elif token.type == NAME and word not in allowed:
        known = sorted(name for name in allowed if name.isalpha() and name.islower())
        for near in get_close_matches(word, known, 1, 0.6):
            message = syntax.MISSPELT_WORD
            return report.add(message, span, fix=near, expected=expected, word=near)
    return report.add(syntax.UNEXPECTED_TOKEN, span, expected=expected)


def too_deep(report: Report, span: Span) -> AlreadyReported:
    """Report what is inside too much else."""
    return report.add(syntax.NESTED_TOO_DEEP, span, limit=limits().nesting)


def _misspelt(source: Source, at: int) -> tuple[Span, str] | None:
    """The word before a `{` where it is nearly a keyword, and the keyword."""
    before = re.search(r"([A-Za-z_]\w*)[^\S\n]*$", source.text[max(0, at - 99) : at])
    if before is None:
        return None
    near = get_close_matches(before[1], sorted(keywords()), 1, 0.6)
    if not near or near[0] == before[1]:
        return None
    start = at - len(before[0])
    return Span(source, start, start + len(before[1])), near[0]


def bad_character(report: Report, source: Source, at: int) -> AlreadyReported:
    """Report text that is not a token at all."""
    text = source.text
    if text.startswith('"""', at):
        span = Span(source, at, at + 3)
        return report.add(syntax.UNTERMINATED_DESCRIPTION, span)
    if text[at] == '"':
        line = text[at:].splitlines()[0]
        return report.add(
            syntax.UNTERMINATED, Span(source, at, at + len(line.rstrip()))
        )
    word = re.compile(r"[\w.%]+").match(text, at)
    if word and text[at].isascii() and text[at].isdigit():
        return report.add(syntax.MALFORMED_NUMBER, Span(source, at, word.end()))
    if word and text[at].isalpha():
        return report.add(syntax.FOREIGN_LETTER, Span(source, at, word.end()))
    span = Span(source, at, at + 1)
    fix = "" if _ENDED.match(text, at) else None
    return report.add(
        _CHARACTERS.get(text[at], syntax.USELESS_CHARACTER), span, fix=fix
    )


_ENDED = re.compile(r";[ \t]*(?:#|\r?$)", re.MULTILINE)
_CHARACTERS = {
    "'": syntax.SINGLE_QUOTE,
    ";": syntax.SEMICOLON,
    "!": syntax.EXCLAMATION_MARK,
    "~": syntax.TILDE,
    "&": syntax.AMPERSAND,
    "^": syntax.CARET,
    "\r": syntax.CARRIAGE_RETURN,
}


def _expected(allowed: Collection[str]) -> str:
    """`a name or `(``: families by one word, operators left out."""
    left = set(allowed)
    phrases = []

    def family(phrase: str, members: Collection[str]) -> bool:
        if left.issuperset(members):
            phrases.append(phrase)
            left.difference_update(members)
            return True
        return False

    if family(
        "a declaration such as `model`, `block` or `shift`", declaring() - {"import"}
    ):
        left -= {DOC, NEWLINE, END, "import"}
    family("a statement such as `linear(64)`", {NAME, "residual", "stack"})
    if (
        family("`edge`, `rest`, `each` or a share such as `1/4`", {"edge", *_VALUE})
        and len(phrases) == 1
    ):
        left -= {"rest", "each", "interleave"}
    family("a direction such as `right`", directions())
    family("a value", _VALUE)
    fewer = left - _OPERATORS
    if NEWLINE in fewer:
        fewer.discard(END)
    if not fewer and not phrases:
        fewer = left
    phrases += [_FORMS.get(name, f"`{name}`") for name in sorted(fewer)]
    return " or ".join(filter(None, [", ".join(phrases[:-1]), phrases[-1]]))
