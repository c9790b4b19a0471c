"""`grammar/arch.lark` as Lark runs it, and the words that it uses."""

import re
import sys
from collections.abc import Collection, Iterable
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

from lark import Lark
from lark.common import LexerConf
from lark.lexer import ContextualLexer, PatternStr, TerminalDef

from s2mlp_dsl.frontend.build import Builder, keep_comment
from s2mlp_dsl.shipped import shipped

# Terminals by name. Lark calls brackets LBRACE, RPAR, LSQB, ... by itself.
NAME, NUMBER, STRING, DOC, COMMENT = "NAME", "NUMBER", "STRING", "DOC", "COMMENT"
COMPARISON, NEWLINE, END = "COMPARISON", "_NL", "$END"

# Lark takes 70 ms to build the parser and 8 ms to load it. It unpickles this file
# before checking whether it fits, so the file is where Python keeps the bytecode of
# this module: whoever can write there can change the program anyway. By default it
# would be in the temporary folder.
CACHE = Path(cache_from_source(__file__)).with_suffix(".lark")


class _Lexer(ContextualLexer):
    """Lexes keywords, `=` and `==` where they are allowed, everything else everywhere.

    If names were lexed only where they are allowed, `modelx` would become `model` and
    `x`. And the fewer contexts there are, the fewer regular expressions are compiled:
    for each state of the parser they took 20 ms of a start.
    """

    def __init__(
        self, conf: LexerConf, states: dict[int, Collection[str]], **options: Any
    ) -> None:
        # Only a test is strict. What comes from the cache has no `strict`.
        conf.skip_validation = conf.skip_validation or not conf.strict
        known = set(conf.terminals_by_name)
        literals = _literals(conf.terminals)
        contextual = {name for name, text in literals.items() if text.isalpha()}
        contextual |= {COMPARISON, "EQUAL"}
        contexts: dict[int, Collection[str]] = {
            state: known - contextual | contextual.intersection(allowed)
            for state, allowed in states.items()
        }
        super().__init__(conf, contexts, **options)


@cache
def parser() -> Lark:
    """The parser of `.arch` files (`start`) and of single expressions (`expr`)."""
    return build(cache=not sys.dont_write_bytecode)


def build(*, cache: bool = False, strict: bool = False) -> Lark:
    """`parser`, made anew, or from the `cache` beside the bytecode of this file.

    `strict` refuses conflicts; it needs `interegular`.
    """
    return Lark(
        shipped("grammar/arch.lark").read_text(encoding="utf-8"),
        parser="lalr",
        lexer="contextual",
        start=["start", "expr"],
        transformer=Builder(),
        # The way in for a lexer with contexts; lark-cython comes in by it too.
        _plugins={"ContextualLexer": _Lexer},
        lexer_callbacks={COMMENT: keep_comment},
        keep_all_tokens=True,
        cache=cache and str(CACHE),
        strict=strict,
    )


def _literals(terminals: Iterable[TerminalDef]) -> dict[str, str]:
    """The terminals that match one text only, with that text."""
    return {
        terminal.name: terminal.pattern.value
        for terminal in terminals
        if isinstance(terminal.pattern, PatternStr)
    }


def spelled(terminals: Iterable[str]) -> set[str]:
    """Terminals as a spec has them: `{` for LBRACE; those like NAME keep their name."""
    literals = _literals(parser().terminals)
    return {literals.get(name, name) for name in terminals}


@cache
def keywords() -> frozenset[str]:
    """Every word that the grammar itself uses."""
    return frozenset(filter(str.isalpha, _literals(parser().terminals).values()))


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
