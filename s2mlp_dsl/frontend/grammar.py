"""`grammar/arch.lark` as Lark runs it, and the words that it uses.

Lark builds the parser once per process, about 70 ms: its cache file is a pickle in a
temporary folder that anybody may write to, and is read before it is compared.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache

import lark.lexer
from lark import Lark, Token
from lark.lark import PostLex
from lark.lexer import PatternStr

from s2mlp_dsl.frontend.build import Builder, keep_comment
from s2mlp_dsl.shipped import shipped

# Terminals by name. Lark calls brackets LBRACE, RPAR, LSQB, ... by itself.
NAME, NUMBER, STRING, DOC, COMMENT = "NAME", "NUMBER", "STRING", "DOC", "COMMENT"
NEWLINE, END = "_NL", "$END"


class _Words(PostLex):
    """Terminals that are lexed everywhere, even where the grammar does not allow them.

    Names: with keywords alone, the contextual lexer would split `modelx` into `model`
    and `x`. Newlines: the parser drops those that do not count.
    """

    always_accept = (NAME, NEWLINE)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        return stream


@cache
def parser() -> Lark:
    """The parser of `.arch` files (`start`) and of single expressions (`expr`)."""
    with _without_comparing_terminals():
        return build()


def build(*, strict: bool = False) -> Lark:
    """`parser`, made anew. `strict` refuses conflicts; it needs `interegular`."""
    return Lark(
        shipped("grammar/arch.lark").read_text(encoding="utf-8"),
        parser="lalr",
        lexer="contextual",
        start=["start", "expr"],
        transformer=Builder(),
        postlex=_Words(),
        lexer_callbacks={COMMENT: keep_comment},
        keep_all_tokens=True,
        strict=strict,
    )


@contextmanager
def _without_comparing_terminals() -> Iterator[None]:
    """Where `interegular` is installed, Lark compares all terminals on every build.

    That takes 300 ms and cannot be turned off by an option. A test builds the grammar
    with `strict`, where an overlap is an error.
    """
    installed = lark.lexer.has_interegular
    lark.lexer.has_interegular = False
    try:
        yield
    finally:
        lark.lexer.has_interegular = installed


@cache
def _literals() -> dict[str, str]:
    """The terminals that match one text only, with that text."""
    return {
        terminal.name: terminal.pattern.value
        for terminal in parser().terminals
        if isinstance(terminal.pattern, PatternStr)
    }


def spelled(terminals: Iterable[str]) -> set[str]:
    """Terminals as a spec has them: `{` for LBRACE; those like NAME keep their name."""
    return {_literals().get(name, name) for name in terminals}


@cache
def keywords() -> frozenset[str]:
    """Every word that the grammar itself uses."""
    return frozenset(filter(str.isalpha, _literals().values()))


@cache
def declaring() -> frozenset[str]:
    """The words that begin a declaration."""
    return keywords() & spelled(parser().parse_interactive("", "start").accepts())


@cache
def directions() -> frozenset[str]:
    """The words for the directions of a shift."""
    rules = [rule for rule in parser().rules if rule.origin.name == "_direction"]
    return frozenset(spelled(rule.expansion[0].name for rule in rules))


@cache
def pattern(terminal: str) -> re.Pattern[str]:
    """What a terminal matches; NUMBER in groups: whole, fraction, exponent, suffix."""
    return re.compile(parser().get_terminal(terminal).pattern.to_regexp())
