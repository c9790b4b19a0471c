"""The parser that Lark makes of `grammar/arch.lark`."""

from collections.abc import Iterator
from functools import cache

from lark import Lark, Token
from lark.lexer import PatternStr

from s2mlp_dsl.shipped import shipped
from s2mlp_dsl.syntax.build import Builder, keep_comment


class _NewlinesAnywhere:
    """Lets the contextual lexer see a newline in every state of the parser.

    Which of them count is decided by the reader, which knows the brackets.
    """

    always_accept = ("_NL",)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        return stream


def make_parser(*, strict: bool = False) -> Lark:
    """A fresh parser; `strict` refuses any conflict (needs `interegular`)."""
    return Lark(
        shipped("grammar/arch.lark").read_text(encoding="utf-8"),
        parser="lalr",
        lexer="contextual",
        start=["start", "expr"],
        transformer=Builder(),
        postlex=_NewlinesAnywhere(),
        lexer_callbacks={"COMMENT": keep_comment},
        keep_all_tokens=True,
        maybe_placeholders=False,
        strict=strict,
    )


@cache
def parser() -> Lark:
    return make_parser()


@cache
def keywords() -> frozenset[str]:
    """Every word that the grammar itself uses."""
    return frozenset(
        terminal.pattern.value
        for terminal in parser().terminals
        if isinstance(terminal.pattern, PatternStr) and terminal.pattern.value.isalpha()
    )


def describe(terminal: str) -> str:
    """A terminal in the user's words; Lark's own names never leave this file."""
    words = {
        "NAME": "a name",
        "NUMBER": "a number",
        "STRING": "a text in quotes",
        "DOC": 'a """description"""',
        "_NL": "the end of the line",
        "$END": "the end of the file",
    }
    if terminal in words:
        return words[terminal]
    pattern = parser().get_terminal(terminal).pattern
    return f"`{pattern.value}`"
