"""The open brackets while a text is parsed, and where a missing one belongs."""

import re
from dataclasses import dataclass, field

from lark import Token

from s2mlp_dsl.bounds import limits
from s2mlp_dsl.diagnostics import Fix, Report
from s2mlp_dsl.diagnostics.catalogue import syntax
from s2mlp_dsl.frontend.build import place
from s2mlp_dsl.source import Source, Span

# Lark's names of the terminals, and what closes or opens them.
OPENERS = {"LBRACE": "}", "LPAR": ")", "LSQB": "]"}
CLOSERS = {"RBRACE": "{", "RPAR": "(", "RSQB": "["}


@dataclass(eq=False, repr=False)
class Brace:
    """An open brace, and where its last statement starts: stack height, offset."""

    token: Token | None
    height: int
    start: int


@dataclass(eq=False, repr=False)
class Brackets:
    """The open brackets at one place of a text."""

    source: Source
    braces: list[Brace]  # the first is the file itself
    inner: list[Token] = field(default_factory=list)  # ( and [ in this statement
    # A `}` indented like an outer one, and the brace that it closed.
    early: tuple[Token, Token] | None = None

    @property
    def are_open(self) -> bool:
        return len(self.braces) > 1 or bool(self.inner)

    @property
    def are_too_deep(self) -> bool:
        return len(self.braces) + len(self.inner) > limits().nesting

    def fits(self, closer: str) -> bool:
        """Whether the innermost open bracket is of this closer's kind."""
        if self.inner:
            return str(self.inner[-1]) == CLOSERS[closer]
        return closer == "RBRACE" and len(self.braces) > 1

    def note(self, token: Token, height: int) -> None:
        """Open or close a bracket; `height` is that of the parser's stack now."""
        if token.type == "LBRACE":
            self.braces.append(Brace(token, height, place(token)[1]))
        elif token.type == "RBRACE":
            opened = self.braces.pop().token
            if len(self.braces) == 1:
                self.early = None
            elif opened is not None and self._stands_before(token, opened):
                self.early = self.early or (token, opened)
        elif token.type in OPENERS:
            self.inner.append(token)
        elif token.type in CLOSERS:
            self.inner.pop()

    def report_open(self, report: Report, token: Token | None, last_end: int) -> None:
        """Report the innermost bracket as never closed.

        `token` is what cannot be inside it, None at the end of the file; `last_end` is
        the end of what was read last.
        """
        opened = self.inner[-1] if self.inner else self.braces[-1].token
        assert opened is not None
        before = None if token is None else self.span(token)
        fix = None if self.early else self._closing(last_end)
        if (meant := self._meant()) is not None:
            opened, before = meant
            start = self._line_start(before.start)
            fix = self._insert(start, f"{self._indent(opened)}}}\n")
        closer, span = OPENERS[opened.type], self.span(opened)
        if before is None:
            report.add(syntax.UNCLOSED, span, fix=fix, closer=closer)
        else:
            message = syntax.UNCLOSED_BEFORE
            report.add(message, span, related=before, fix=fix, closer=closer)
        self.early = None

    def span(self, token: Token) -> Span:
        return Span(self.source, *place(token))

    def starts_line(self, at: int) -> bool:
        return not self.source.text[self._line_start(at) : at].strip()

    def _meant(self) -> tuple[Token, Span] | None:
        """By the indents, the brace that was left open, and the line after its body.

        An inner brace was closed where an outer one should be: its body ends before the
        first line that is not indented further than its own.
        """
        opened = [brace.token for brace in self.braces if brace.token is not None]
        if self.inner or self.early is None or len(opened) > 1:
            return None
        closer, inner = self.early
        if self._indent(closer) != self._indent(opened[0]):
            return None
        text = self.source.text
        for line in re.compile(r"^([ \t]*)([^\s#][^\r\n]*)", re.MULTILINE).finditer(
            text, text.find("\n", place(inner)[0]) + 1
        ):
            if _columns(line[1]) <= _columns(self._indent(inner)):
                return inner, Span(self.source, line.start(2), line.end())
        return None

    def _closing(self, last_end: int) -> Fix:
        """A fix that closes everything that is open, where that was probably meant."""
        if self.inner:
            closers = "".join(OPENERS[token.type] for token in reversed(self.inner))
            return self._insert(last_end, closers)
        opened = [brace.token for brace in self.braces if brace.token is not None]
        end = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?=\r?\n|\Z)").match(
            self.source.text, last_end
        )
        lines = "".join(f"\n{self._indent(token)}}}" for token in reversed(opened))
        return self._insert(end.end() if end else last_end, lines)

    def _insert(self, at: int, text: str) -> Fix:
        return Fix(Span(self.source, at, at), text)

    def _line_start(self, at: int) -> int:
        return self.source.text.rfind("\n", 0, at) + 1

    def _indent(self, token: Token) -> str:
        """The blanks at the start of a token's line."""
        at, _ = place(token)
        line = self.source.text[self._line_start(at) : at + 1]
        return line[: len(line) - len(line.lstrip())]

    def _stands_before(self, closer: Token, opened: Token) -> bool:
        """Whether a brace is closed at a smaller indent than that of its line."""
        indents = [_columns(self._indent(token)) for token in (closer, opened)]
        return self.starts_line(place(closer)[0]) and indents[0] < indents[1]


def _columns(blanks: str) -> int:
    return len(blanks.expandtabs(4))
