"""The parser that Lark makes of `grammar/arch.lark`."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from lark import Lark, Token
from lark.lexer import PatternStr

from s2mlp_dsl.shipped import shipped
from s2mlp_dsl.syntax.build import Builder, keep_comment
from s2mlp_dsl.syntax.tables import read_tables


class _WordsAnywhere:
    """Lets the contextual lexer see newlines and whole words in every state.

    Which newlines count is decided by the reader, which knows the brackets.
    Without `NAME`, a state that allows `left` but no name would read the
    beginning of `leftover` as `left`.
    """

    always_accept = ("_NL", "NAME")

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        return stream


def grammar_text() -> str:
    return shipped("grammar/arch.lark").read_text(encoding="utf-8")


def make_parser(*, strict: bool = False) -> Lark:
    """A parser made from the grammar; `strict` refuses any conflict.

    `strict` needs the package `interegular`.
    """
    return Lark(
        grammar_text(),
        parser="lalr",
        lexer="contextual",
        start=["start", "expr"],
        keep_all_tokens=True,
        maybe_placeholders=False,
        strict=strict,
        **_hooks(),
    )


@cache
def parser() -> Lark:
    """The parser, from the shipped tables where they fit."""
    tables = read_tables(grammar_text())
    if tables is None:
        return make_parser()
    loaded: Lark = Lark._load_from_dict(tables["data"], tables["memo"], **_hooks())
    return loaded


def _hooks() -> dict[str, Any]:
    """What a parser calls while it reads."""
    return {
        "transformer": Builder(),
        "postlex": _WordsAnywhere(),
        "lexer_callbacks": {"COMMENT": keep_comment},
    }


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
