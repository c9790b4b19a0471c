"""Text to syntax tree, with as many independent errors as the text has.

Tokens are fed to Lark's parser one at a time. At each `{` and each newline inside
braces the height of its stack is noted. After an error the stack is cut back to there,
the rest of the statement is skipped, and parsing continues with the next one; outside
braces, with the next declaration.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lark import Token, UnexpectedCharacters, UnexpectedToken

from s2mlp_dsl.diagnostics import Report
from s2mlp_dsl.diagnostics.catalogue import syntax
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.frontend.brackets import CLOSERS, OPENERS, Brace, Brackets
from s2mlp_dsl.frontend.build import TooDeep, place, reading
from s2mlp_dsl.frontend.explain import bad_character, too_deep, unexpected
from s2mlp_dsl.frontend.grammar import DOC, END, NAME, NEWLINE, declaring, parser
from s2mlp_dsl.frontend.skip import (
    brace_follows,
    declares,
    goes_on,
    indent_of,
    skip_declaration,
    skip_statement,
)
from s2mlp_dsl.source import Source, Span

_STRUCTURE = frozenset([NEWLINE, DOC, *OPENERS, *CLOSERS])
MAX_ERRORS = 20  # after so many, the text is probably not a spec


def parse(source: Source, report: Report) -> tree.File:
    """Parse a whole file. Errors go to `report`; everything else is in the tree."""
    with reading(source) as comments:
        reader = _Reader(source, report)
        declarations = reader.read()
    return tree.File(
        source,
        declarations,
        tuple(comments),
        tuple(reader.damaged),
        frozenset(reader.lost),
    )


def parse_expression(source: Source, report: Report) -> tree.Expr:
    """Parse one expression, such as a value of `--set`. Raises `AlreadyReported`."""
    state = parser().parse_interactive(source.text, "expr")
    with reading(source):
        try:
            state.exhaust_lexer()
            expression: tree.Expr = state.feed_token(_end(source))
            return expression
        except UnexpectedCharacters as error:
            raise bad_character(report, source, _offset(error)) from error
        except UnexpectedToken as error:
            raise unexpected(report, source, error.token, state.accepts()) from error
        except TooDeep as error:
            raise too_deep(report, error.span) from error


@dataclass(eq=False, repr=False)
class _Reader:
    """Feeds one text to the parser, and recovers from errors."""

    source: Source
    report: Report
    damaged: list[Span] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    previous: str = NEWLINE  # the kind of the last token
    last: Token | None = None  # newlines and descriptions left out
    errors: int = 0

    def __post_init__(self) -> None:
        self.text = self.source.text
        self.parser = parser().parse_interactive(self.text, "start")
        self.state = self.parser.parser_state
        file = Brace(None, len(self.state.state_stack), 0)
        self.brackets = Brackets(self.source, [file])

    def read(self) -> tuple[tree.Declaration, ...]:
        while self.errors < MAX_ERRORS:
            try:
                for token in self._tokens():
                    self._take(token)
                    if self.errors >= MAX_ERRORS:
                        return self._give_up()
                return self._finish()
            except UnexpectedCharacters as error:
                bad_character(self.report, self.source, _offset(error))
                self._skip(_offset(error))
            except UnexpectedToken as error:
                self._unexpected(error.token)
            except TooDeep as error:
                too_deep(self.report, error.span)
                self._skip(error.span.end)
            self.errors += 1
        return self._give_up()

    def _tokens(self) -> Iterator[Token]:
        """The tokens from here on, those that are not allowed here included."""
        while True:
            try:
                yield from self.parser.lexer_thread.lex(self.state)
                return
            except UnexpectedToken as error:
                yield error.token

    def _take(self, token: Token) -> None:
        """Feed one token to the parser, and keep track of brackets."""
        kind = token.type
        if kind in _STRUCTURE:
            self._take_structure(token)
        elif kind == NAME and token.value in declaring() and self._declares(token):
            self._never_closed(token)
            self._resume(place(token)[0], level=0)
            self.errors += 1
        else:  # most of a text
            self.state.feed_token(token)
            self.previous, self.last = kind, token

    def _take_structure(self, token: Token) -> None:
        kind, brackets = token.type, self.brackets
        if kind == NEWLINE and (brackets.inner or self.previous in (NEWLINE, "LBRACE")):
            return
        if kind in CLOSERS and not brackets.fits(kind):
            self._unmatched(token)
            self.errors += 1
            return
        self.state.feed_token(token)
        self._note(token)
        if kind in OPENERS and brackets.are_too_deep:
            too_deep(self.report, brackets.span(token))
            self.errors += 1
            outermost = brackets.braces[1].token if len(brackets.braces) > 1 else token
            assert outermost is not None
            brackets.inner.clear()
            del brackets.braces[1:]
            self._skip(place(outermost)[0])

    def _note(self, token: Token) -> None:
        """Keep track of brackets and of where statements start."""
        kind, before = token.type, self.previous
        self.previous = kind
        height = len(self.state.state_stack)
        if kind == NEWLINE:
            if before != DOC:
                brace = self.brackets.braces[-1]
                brace.height, brace.start = height, place(token)[1]
        elif kind != DOC:
            self.last = token
            self.brackets.note(token, height)

    def _declares(self, token: Token) -> bool:
        """Whether a declaration begins inside another, so that a brace is missing.

        A second `edition` is a mistake of its own.
        """
        at, _ = place(token)
        return (
            token.value != "edition"
            and self.brackets.are_open
            and self.brackets.starts_line(at)
            and declares(self.text, at)
        )

    # errors

    def _unexpected(self, token: Token) -> None:
        """A token that the grammar does not allow here."""
        (at, _), kind, brackets = place(token), token.type, self.brackets
        if kind in CLOSERS and not brackets.fits(kind):
            self._unmatched(token)
            return
        if brackets.inner and token.isidentifier() and brackets.starts_line(at):
            self._never_closed(token)
            self._resume(at)
            return
        allowed = self.parser.accepts()
        unexpected(self.report, self.source, token, allowed)
        if kind == END:
            self._resume(len(self.text), level=0)
        elif kind == "RBRACE":
            self._resume(at)
        elif kind == NEWLINE:
            self._line_ended(token, "LBRACE" in allowed)
        else:
            self._skip(at)

    def _unmatched(self, token: Token) -> None:
        """A closer that closes nothing, or a bracket that it leaves open."""
        at, end = place(token)
        if self.brackets.inner:
            self._never_closed(token)
            if token.type == "RBRACE":
                self._resume(at)
            else:
                self._skip(end)
            return
        last = self.damaged[-1].end if self.damaged else 0
        if self.text[last:at].strip() or not self.damaged:
            self.report.add(syntax.UNMATCHED, self.brackets.span(token))
        self._damage(at, end)  # several in a row are one error

    def _never_closed(self, token: Token | None) -> None:
        last = place(self.last)[1] if self.last is not None else 0
        self.brackets.report_open(self.report, token, last)

    def _line_ended(self, token: Token, opens: bool) -> None:
        """A line that ends too early; what follows may show what was meant.

        `opens`: a brace is allowed here.
        """
        at, end = place(token)
        if opens and brace_follows(self.text, end):
            return  # read on as if the brace stood on this line
        if opens and indent_of(self.text, end) > indent_of(
            self.text, self.text.rfind("\n", 0, at) + 1
        ):
            brace = Token("LBRACE", "{", at, end_pos=at)
            self.state.feed_token(brace)
            self._note(brace)
            return
        self._skip(end if goes_on(self.text, end) else at)

    # recovery

    def _skip(self, at: int) -> None:
        """Continue after the statement at `at`, or outside braces the declaration."""
        if len(self.brackets.braces) > 1:
            inner = len(self.brackets.inner)
            self._resume(skip_statement(self.text, at, inner))
        else:
            self._resume(skip_declaration(self.text, at))

    def _resume(self, at: int, level: int = -1) -> None:
        """Discard the unfinished statement, and continue at `at`.

        With `level` 0, discard the unfinished declaration.
        """
        braces = self.brackets.braces
        brace = braces[level]
        if level == 0:
            del braces[1:]
        unfinished = len(self.state.state_stack) >= brace.height
        if unfinished:  # else the statement is in the list of its body already
            del self.state.state_stack[brace.height :]
            del self.state.value_stack[brace.height - 1 :]
        self.previous = NEWLINE if unfinished else "SKIPPED"
        self.brackets.inner.clear()
        self._damage(brace.start, at)
        lexer = self.parser.lexer_thread.state
        assert lexer is not None
        lexer.line_ctr.char_pos = at

    def _damage(self, start: int, end: int) -> None:
        self.damaged.append(Span(self.source, start, max(end, start + 1)))
        words = self.text[start:end].split("{", 1)[0]
        self.lost.update(re.findall(r"\w+", words))
        if words.lstrip().startswith("import"):
            self.lost.add(tree.ANY_NAME)

    def _finish(self) -> tuple[tree.Declaration, ...]:
        if self.brackets.are_open:
            self._never_closed(None)
            self._resume(len(self.text), level=0)
        return self._declarations()

    def _give_up(self) -> tuple[tree.Declaration, ...]:
        """What was read so far."""
        self.report.give_up()
        self.lost.update(re.findall(r"\w+", self.text))
        self._resume(len(self.text), level=0)
        return self._declarations()

    def _declarations(self) -> tuple[tree.Declaration, ...]:
        declarations: tuple[tree.Declaration, ...]
        declarations = self.parser.feed_token(_end(self.source))
        return declarations


def _end(source: Source) -> Token:
    end = len(source.text)
    return Token(END, "", end, end_pos=end)


def _offset(error: UnexpectedCharacters) -> int:
    offset = error.pos_in_stream
    assert isinstance(offset, int)
    return offset
