"""The parser that Lark makes of `grammar/arch.lark`."""

from collections.abc import Iterator
from functools import cache

from lark import Lark, Token
from lark.lexer import PatternStr

from s2mlp_dsl.shipped import shipped
from s2mlp_dsl.syntax.build import Builder, keep_comment


class _WordsAnywhere:
    """Lets the contextual lexer see newlines and whole words in every state.

    Which newlines count is decided by the reader, which knows the brackets.
    Without `NAME`, a state that allows `left` but no name would read the
    beginning of `leftover` as `left`.
    """

    always_accept = ("_NL", "NAME")

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
        postlex=_WordsAnywhere(),
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
    return frozenset(filter(str.isalpha, _literals().values()))


@cache
def declaring() -> frozenset[str]:
    """The words that begin a declaration."""
    first = parser().parse_interactive("", start="start").accepts()
    return frozenset(spelled(one) for one in first) & keywords()


def spelled(terminal: str) -> str:
    """What a terminal looks like in a file, or its own name if it has many forms.

    Lark's names for literals never leave this file.
    """
    return _literals().get(terminal, terminal)


@cache
def _literals() -> dict[str, str]:
    return {
        terminal.name: terminal.pattern.value
        for terminal in parser().terminals
        if isinstance(terminal.pattern, PatternStr)
    }
