"""What the parser stumbled over, in the user's words."""

import re
from collections.abc import Collection, Sequence
from difflib import get_close_matches

from lark import Token

from s2mlp_dsl.diagnostics import Label, Poisoned, Report
from s2mlp_dsl.source import Source, Span
from s2mlp_dsl.syntax import codes
from s2mlp_dsl.syntax.build import token_span
from s2mlp_dsl.syntax.grammar import describe, keywords

_WORDS_SHOWN = 6
_ARITHMETIC = ("+", "-", "*", "/", "[", "(", "==", "!=", "<=", ">=", "<", ">")


def unexpected(
    report: Report,
    source: Source,
    token: Token,
    accepted: Collection[str],
    brackets: Sequence[Token] = (),
) -> Poisoned:
    """Report a token that cannot stand where it stands."""
    if token.type == "$END":
        end = len(source.text)
        span = Span(source, max(0, end - 1), end)
        label = f"the text ends here; {_expected(accepted)}"
        return report.add(codes.UNEXPECTED, span, label)
    span = token_span(token)
    if (token == "=" and "__ANON_0" in accepted) or _compares(token, accepted):
        return report.add(
            codes.ASSIGNED, span, help="write `==` for exact, `~=` for as printed"
        )
    if brackets and token.type not in ("_NL",) and _starts_line(source, span.start):
        opened = brackets[-1]
        closer = ")" if str(opened) == "(" else "]"
        return report.add(
            codes.NOT_CLOSED,
            token_span(opened),
            secondary=[Label(span, "this would be inside it")],
            help=f"add the closing `{closer}`",
        )
    word = str(token)
    close = get_close_matches(word, sorted(keywords()), 1, 0.7)
    before = re.search(r"([A-Za-z_]\w*)[^\S\n]*$", source.text[: span.start])
    if word == "{" and before is not None:
        near = get_close_matches(before[1], sorted(keywords()), 1, 0.6)
        if near and near[0] != before[1]:
            close = near
    help = f"did you mean `{close[0]}`?" if close and close[0] != word else None
    shown = "the line ends here; " if token.type == "_NL" else ""
    return report.add(codes.UNEXPECTED, span, shown + _expected(accepted), help=help)


def bad_character(report: Report, source: Source, at: int) -> Poisoned:
    """Report text that is no token at all."""
    text = source.text
    if text[at] == '"':
        end = text.find("\n", at)
        span = Span(source, at, end if end >= 0 else len(text))
        return report.add(codes.OPEN_STRING, span, help='end it with `"` on this line')
    word = re.compile(r"[\w.]+").match(text, at)
    if word and text[at].isascii() and text[at].isdigit():
        return report.add(
            codes.BAD_NUMBER,
            Span(source, at, word.end()),
            help="numbers are digits with `_` between them, a fraction, an exponent, "
            "and one of K M G T Ki Mi Gi %",
        )
    end = word.end() if word else at + 1
    span = Span(source, at, end)
    if word:
        return report.add(
            codes.BAD_CHARACTER, span, help="names use the letters a-z, digits and `_`"
        )
    if text[at] == "=":
        return report.add(codes.UNEXPECTED, span, "no value was expected here")
    return report.add(codes.BAD_CHARACTER, span, help="remove it")


def _compares(token: Token, accepted: Collection[str]) -> bool:
    shown = {describe(one) for one in accepted if not one.startswith("$")}
    return token == "=" and "`~=`" in shown


def _starts_line(source: Source, at: int) -> bool:
    return source.text[source.text.rfind("\n", 0, at) + 1 : at].strip() == ""


def _expected(accepted: Collection[str]) -> str:
    """`expected a name or `(``; long lists are cut to what matters."""
    words = sorted({describe(one) for one in accepted})
    operators = {f"`{one}`" for one in _ARITHMETIC}
    fewer = [word for word in words if word not in operators] or words
    if len(fewer) > _WORDS_SHOWN:
        fewer = [word for word in fewer if not word.startswith("`")] or fewer
    shown = fewer[:_WORDS_SHOWN]
    if len(shown) == 1:
        return f"expected {shown[0]}"
    return f"expected {', '.join(shown[:-1])} or {shown[-1]}"
