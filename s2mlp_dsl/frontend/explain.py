"""What the parser stumbled over, in the user's words."""

import re
from collections.abc import Collection
from difflib import get_close_matches

from s2mlp_dsl.bounds import how_to_raise, limits
from s2mlp_dsl.diagnostics import AlreadyReported, Fix, Report, Suggestion
from s2mlp_dsl.frontend import codes
from s2mlp_dsl.frontend.grammar import declaring, keywords
from s2mlp_dsl.frontend.skip import goes_on
from s2mlp_dsl.frontend.token import END, NAME, NEWLINE, Token
from s2mlp_dsl.source import Source, Span

_OPERATORS = frozenset(["+", "-", "*", "/", "==", "!=", "<=", ">=", "<", ">", "[", "("])
_DIRECTIONS = frozenset(["right", "left", "down", "up", "later", "earlier"])
_VALUE = frozenset(["NAME", "NUMBER", "STRING", "(", "[", "-"])
# Terminals that have many forms.
_FORMS = {
    "NAME": "a name",
    "NUMBER": "a number",
    "STRING": "a text in quotes",
    "DOC": 'a """description"""',
    "_NL": "the end of the line",
    "$END": "the end of the file",
}


def unexpected(
    report: Report, source: Source, token: Token, allowed: set[str]
) -> AlreadyReported:
    """Report a token that cannot stand where it stands."""
    if token.kind == END:
        end = len(source.text.rstrip()) or len(source.text)
        return report.add(
            codes.UNEXPECTED,
            Span(source, end, end),
            f"the text ends here; {_expected(allowed)}",
        )
    span = token.span
    if token == "=" and "~=" in allowed:
        return report.add(
            codes.ASSIGNED,
            span,
            help=Suggestion("write `==` for exact, `~=` for as printed", "=="),
        )
    if token == "{" and (word := _misspelt(source, span.start)):
        at, near = word
        label = f"did you mean `{near}`?"
        return report.add(codes.UNEXPECTED, at, label, fix=Fix(at, near))
    label = _expected(allowed)
    if token.kind == NEWLINE:
        label = f"the line ends here; {label}"
    help, fix = _help(token, source, allowed), None
    if help == _COMMENT:
        fix = Fix(Span(source, span.start, span.start + 2), "#")
    return report.add(codes.UNEXPECTED, span, label, help=help, fix=fix)


def too_deep(report: Report, span: Span) -> AlreadyReported:
    """Report what stands inside too much else."""
    return report.add(
        codes.TOO_DEEP,
        span,
        f"more than {limits().nesting} levels, one inside the other",
        notes=[how_to_raise("nesting")],
        help="give the inner part a name with `let` or `block`",
    )


def _misspelt(source: Source, at: int) -> tuple[Span, str] | None:
    """The word before a `{` where it is nearly one that takes braces."""
    before = re.search(r"([A-Za-z_]\w*)[^\S\n]*$", source.text[max(0, at - 99) : at])
    if before is None:
        return None
    near = get_close_matches(before[1], sorted(keywords()), 1, 0.6)
    if not near or near[0] == before[1]:
        return None
    end = at - (len(before[0]) - len(before[1]))
    span = Span(source, end - len(before[1]), end)
    return span, near[0]


_COMMENT = "a comment begins with `#`"


# What people bring along from other languages.
def _help(token: Token, source: Source, allowed: set[str]) -> str | None:
    word = str(token)
    rest = source.text[token.span.start :][:2]
    if rest == "//":
        return _COMMENT
    if token.kind == NEWLINE and "{" in allowed:
        return "write the `{` on this line"
    if token.kind == NEWLINE and goes_on(source.text, token.span.end):
        return "to go on with the next line, put the whole in brackets"
    before = source.text[: token.span.start].rpartition("\n")[2]
    if word == "=" and before.endswith("="):
        return Suggestion("write a single `=`", "")
    if word == "{" and before.split()[-1:] == ["branch"]:
        return "a branch stands inside a `parallel(…) { … }`"
    if allowed == {"NAME"} and (name := re.search(r"(\w+)\s*:\s*$", before)):
        return f"write `{name[1]} = {word}` for a default"
    if "(" in allowed and token.kind in ("NUMBER", "STRING", "NAME"):
        called = re.search(r"([A-Za-z_]\w*)\s+$", before)
        return f"arguments stand in brackets: `{called[1]}({word})`" if called else None
    if before.split()[:1] == ["then"]:
        return "write `then` behind the closing brace of the stack: `} then 2 {`"
    if token.kind == NAME:
        words = sorted(one for one in allowed if one.isalpha() and one.islower())
        if word in words:
            return None
        if close := get_close_matches(word, words, 1, 0.6):
            return Suggestion(f"did you mean `{close[0]}`?", close[0])
    return None


def bad_character(report: Report, source: Source, at: int) -> AlreadyReported:
    """Report text that is no token at all."""
    text = source.text
    if text[at] == '"':
        return _open_string(report, source, at)
    word = re.compile(r"[\w.%]+").match(text, at)
    if word and text[at].isascii() and text[at].isdigit():
        return report.add(
            codes.BAD_NUMBER,
            Span(source, at, word.end()),
            help="a number is digits with single `_` between them, then a fraction, "
            "an exponent, and one of K M G T Ki Mi Gi Ti %, as far as needed",
        )
    if word and word[0][0].isalpha():
        return report.add(
            codes.BAD_CHARACTER,
            Span(source, at, word.end()),
            help="names use the letters a-z and A-Z, digits and `_`",
        )
    return report.add(
        codes.BAD_CHARACTER,
        Span(source, at, at + 1),
        help=_CHARACTERS.get(text[at], "remove it"),
        fix=Fix(Span(source, at, at + 1), "") if _ENDED.match(text, at) else None,
    )


_ENDED = re.compile(r";[ \t]*(?:#|\r?$)", re.MULTILINE)
_CHARACTERS = {
    "'": 'a text stands in double quotes: `"…"`',
    ";": "remove it: a statement ends with its line",
    "!": "`!=` is the only thing written with it",
    "~": "`~=` is the only thing written with it",
    "&": "remove it: use `choose(condition, yes, no)` for a choice",
    "^": "remove it: write a power as a product",
    "\r": "end lines with LF or CRLF",
}


def _open_string(report: Report, source: Source, at: int) -> AlreadyReported:
    text = source.text
    if text.startswith('"""', at):
        return report.add(
            codes.OPEN_STRING, Span(source, at, at + 3), help='end it with `"""`'
        )
    end = re.compile(r"[^\r\n]*").match(text, at)
    assert end is not None
    stop = at + len(end[0].rstrip())
    return report.add(
        codes.OPEN_STRING, Span(source, at, stop), help='end it with `"` on this line'
    )


def _expected(allowed: Collection[str]) -> str:
    """`expected a name or `(``: families by one word, operators left out."""
    left = set(allowed)
    phrases = []

    def family(phrase: str, members: Collection[str]) -> None:
        if left.issuperset(members):
            phrases.append(phrase)
            left.difference_update(members)

    family(
        "a declaration such as `model`, `block` or `shift`", {*declaring()} - {"import"}
    )
    if phrases:
        left -= {"DOC", "_NL", "$END", "import"}
    family("a statement such as `linear(64)`", {"NAME", "residual", "stack"})
    family("`edge`, `rest`, `each` or a share such as `1/4`", {"edge", *_VALUE})
    if "edge" not in left and len(phrases) == 1 and "`edge`" in phrases[0]:
        left -= {"rest", "each", "interleave"}
    family("a direction such as `right`", _DIRECTIONS)
    family("a value", _VALUE)
    fewer = left - _OPERATORS
    if "_NL" in fewer:
        fewer.discard("$END")
    if not fewer and not phrases:
        fewer = left
    phrases += [_FORMS.get(one, f"`{one}`") for one in sorted(fewer)]
    if len(phrases) == 1:
        return f"expected {phrases[0]}"
    return f"expected {', '.join(phrases[:-1])} or {phrases[-1]}"
