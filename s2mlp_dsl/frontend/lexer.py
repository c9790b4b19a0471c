"""Text to tokens, each as the parser can take it where it stands.

A word is read whole, and is a keyword only where the grammar allows that keyword.
"""

import re
from collections.abc import Container
from functools import cache

from s2mlp_dsl.frontend import tree
from s2mlp_dsl.frontend.tables import Tables
from s2mlp_dsl.frontend.token import COMMENT, END, NAME, Token
from s2mlp_dsl.source import Source, Span


class NoToken(Exception):
    """No token begins at an offset of the text."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


class Lexer:
    """Reads one text from `at` on, and keeps the comments it comes by."""

    def __init__(self, tables: Tables, source: Source) -> None:
        self.source, self.at = source, 0
        self.comments: list[tree.Comment] = []
        self._match = _pattern(tables).match
        self._words = tables.words
        self._ignored = tables.ignored

    def next(self, allowed: Container[str]) -> Token:
        """The next token, of a kind that is allowed where there is one.

        Raises `NoToken`.
        """
        source, text = self.source, self.source.text
        while self.at < len(text):
            start = self.at
            found = self._match(text, start)
            if found is None:
                raise NoToken(start)
            kind, end = found.lastgroup, found.end()
            if kind == NAME:
                word = found[0]
                if word in allowed and word in self._words:
                    kind = word
            elif kind is None:
                kind = found[0]
                # `==` where only `=` may stand is `=`, and one `=` too many.
                if kind not in allowed and kind[0] in allowed:
                    kind, end = kind[0], start + 1
            self.at = end
            if kind not in self._ignored:
                return Token(text[start:end], kind, Span(source, start, end))
            if kind == COMMENT:
                self.comments.append(tree.Comment(Span(source, start, end)))
        return Token("", END, Span(source, len(text), len(text)))


@cache
def _pattern(tables: Tables) -> re.Pattern[str]:
    """Every token in one expression; what is no sign is a named group."""
    kinds = [f"(?P<{kind}>{pattern})" for kind, pattern in tables.patterns.items()]
    signs = sorted(tables.signs, key=len, reverse=True)
    return re.compile("|".join([*kinds, *map(re.escape, signs)]))
