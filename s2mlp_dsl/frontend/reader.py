"""Reading a file token by token, and going on after a mistake.

Tokens are fed to the parser one at a time. At each `{` and each newline
inside braces the height of the parser's stack is noted; after an error the
stack is cut back to that height, the rest of the statement is skipped, and
reading goes on with the next one. Outside braces it goes on with the next
declaration.
"""

import re
from dataclasses import dataclass, field, replace

from s2mlp_dsl.bounds import limits
from s2mlp_dsl.diagnostics import Fix, Label, Report
from s2mlp_dsl.frontend import codes, tree
from s2mlp_dsl.frontend.automaton import Automaton, Unexpected
from s2mlp_dsl.frontend.build import TooDeep
from s2mlp_dsl.frontend.explain import bad_character, too_deep, unexpected
from s2mlp_dsl.frontend.grammar import declaring, tables
from s2mlp_dsl.frontend.lexer import Lexer, NoToken
from s2mlp_dsl.frontend.skip import (
    brace_follows,
    declares,
    goes_on,
    indent_of,
    skip_declaration,
    skip_statement,
)
from s2mlp_dsl.frontend.token import END, NEWLINE, Token
from s2mlp_dsl.source import Source, Span

MAX_ERRORS = 20  # after so many the text is taken to be something else
_CLOSERS = {"}": "{", ")": "(", "]": "["}
_OPENERS = {opener: closer for closer, opener in _CLOSERS.items()}


@dataclass(eq=False, repr=False)
class _Brace:
    """An open brace, and where its last statement starts: stack height, offset."""

    token: Token | None
    height: int
    start: int


@dataclass(eq=False, repr=False)
class Reader:
    """Feeds one text to the parser, and mends what it stumbles over."""

    source: Source
    report: Report
    lexer: Lexer = field(init=False)
    parser: Automaton = field(init=False)
    damaged: list[Span] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    braces: list[_Brace] = field(default_factory=list)
    brackets: list[Token] = field(default_factory=list)  # ( and [ in this statement
    previous: str = NEWLINE
    last_end: int = 0  # of what was read last, newlines and descriptions left out
    # A `}` that stands where an outer one would, and the brace that it closed.
    early: tuple[Token, Token] | None = None
    errors: int = 0

    def read(self) -> tuple[tree.Declaration, ...]:
        self.lexer = Lexer(tables(), self.source)
        self.parser = Automaton(tables(), "start")
        self.braces = [_Brace(None, self.parser.height, 0)]
        while self.errors < MAX_ERRORS:
            try:
                while (token := self.lexer.next(self.parser.allowed)).kind != END:
                    self._take(token)
                    if self.errors >= MAX_ERRORS:
                        return self._give_up()
                return self._finish()
            except NoToken as error:
                bad_character(self.report, self.source, error.at)
                self._skip(error.at)
            except Unexpected as error:
                self._unexpected(error.token)
            except TooDeep as error:
                too_deep(self.report, error.span)
                self._skip(error.span.end)
            self.errors += 1
        return self._give_up()

    def _take(self, token: Token) -> None:
        """Pass one token on to the parser, and keep the brackets."""
        if token.kind == NEWLINE and (self.brackets or self.previous in (NEWLINE, "{")):
            return
        at = token.span.start
        text = str(token)
        if text in declaring() and self._is_inside and self._begins_another(at, text):
            self._never_closed("before this declaration", token)
            self._resume(at, level=0)
            self.errors += 1
            return
        if text in _CLOSERS and not self._closes(text):
            self._unmatched(token)
            self.errors += 1
            return
        self.parser.feed(token)
        self._note(token, text)
        if len(self.braces) + len(self.brackets) > limits().nesting:
            too_deep(self.report, token.span)
            self.errors += 1
            outermost = self.braces[1].token if len(self.braces) > 1 else token
            assert outermost is not None
            self.brackets.clear()
            del self.braces[1:]
            self._skip(outermost.span.start)

    def _note(self, token: Token, text: str) -> None:
        """Keep track of brackets and of where statements start."""
        before = self.previous
        if token.kind not in (NEWLINE, "DOC"):
            self.last_end = token.span.end
        self.previous = token.kind if token.kind in (NEWLINE, "DOC") else text
        end = token.span.end
        if text in ("(", "["):
            self.brackets.append(token)
        elif text in (")", "]"):
            self.brackets.pop()
        elif text == "{":
            self.braces.append(_Brace(token, self.parser.height, end))
        elif text == "}":
            opened = self.braces.pop().token
            if len(self.braces) == 1:
                self.early = None
            elif opened is not None and self._stands_before(token, opened):
                self.early = self.early or (token, opened)
        elif token.kind == NEWLINE and before != "DOC":
            self.braces[-1].height, self.braces[-1].start = self.parser.height, end

    @property
    def _text(self) -> str:
        return self.source.text

    @property
    def _is_inside(self) -> bool:
        return len(self.braces) > 1 or bool(self.brackets)

    def _begins_another(self, at: int, keyword: str) -> bool:
        """Whether a declaration begins here, so that a brace must be missing.

        A second `edition` is a mistake of its own.
        """
        return (
            keyword != "edition" and self._starts_line(at) and declares(self._text, at)
        )

    def _starts_line(self, at: int) -> bool:
        return not self._text[self._text.rfind("\n", 0, at) + 1 : at].strip()

    def _closes(self, closer: str) -> bool:
        """Whether the innermost open bracket is of this closer's kind."""
        if self.brackets:
            return str(self.brackets[-1]) == _CLOSERS[closer]
        return closer == "}" and len(self.braces) > 1

    # mistakes

    def _unmatched(self, token: Token) -> None:
        """A closer that closes nothing, or a bracket that it leaves open."""
        at, end = token.span.start, token.span.end
        if self.brackets:
            self._never_closed(f"before this `{token}`", token)
            if str(token) == "}":
                self._resume(at)
            else:
                self._skip(end)
            return
        last = self.damaged[-1].end if self.damaged else 0
        if self._text[last:at].strip() or not self.damaged:
            self.report.add(codes.NOT_OPENED, token.span, help="remove it")
        self._damage(at, end)  # one too many, or several: one mistake

    def _never_closed(self, label: str, token: Token | None) -> None:
        opened = self.brackets[-1] if self.brackets else self.braces[-1].token
        assert opened is not None
        if (meant := self._meant()) is not None:
            opened, line = meant
            start = self._text.rfind("\n", 0, line.start) + 1
            fix = self._insert(start, f"{self._indent(opened)}}}\n")
            self._report_open(opened, Label(line, "before this line"), fix)
            self.early = None
            return
        where = None if token is None else Label(token.span, label)
        self._report_open(opened, where, None if self.early else self._closing())
        self.early = None

    def _report_open(self, opened: Token, where: Label | None, fix: Fix | None) -> None:
        self.report.add(
            codes.NOT_CLOSED,
            opened.span,
            secondary=[] if where is None else [where],
            help=f"add the closing `{_OPENERS[str(opened)]}`",
            fix=fix,
        )

    def _insert(self, at: int, text: str) -> Fix:
        return Fix(Span(self.source, at, at), text)

    def _meant(self) -> tuple[Token, Span] | None:
        """The brace that was left open, by the indents, and the line behind it.

        An inner brace was closed where an outer one should be: it ends before
        the first line that does not stand further in than its own.
        """
        opened = [brace.token for brace in self.braces if brace.token is not None]
        if self.brackets or self.early is None or len(opened) > 1:
            return None
        closer, inner = self.early
        if self._indent(closer) != self._indent(opened[0]):
            return None
        inside = len(self._indent(inner).expandtabs(4))
        for line in re.compile(r"^([ \t]*)([^\s#][^\r\n]*)", re.MULTILINE).finditer(
            self._text, self._text.find("\n", inner.span.start) + 1
        ):
            if len(line[1].expandtabs(4)) <= inside:
                return inner, Span(self.source, line.start(2), line.end())
        return None

    def _closing(self) -> Fix:
        """What closes everything that is open, where it must have been meant."""
        if self.brackets:
            closers = "".join(_OPENERS[str(one)] for one in reversed(self.brackets))
            return self._insert(self.last_end, closers)
        opened = [brace.token for brace in self.braces if brace.token is not None]
        end = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?=\r?\n|\Z)").match(
            self._text, self.last_end
        )
        last = end.end() if end else self.last_end
        lines = "".join(f"\n{self._indent(one)}}}" for one in reversed(opened))
        return self._insert(last, lines)

    def _indent(self, token: Token) -> str:
        """The blanks before the first word of a token's line."""
        at = token.span.start
        line = self._text[self._text.rfind("\n", 0, at) + 1 : at + 1]
        return line[: len(line) - len(line.lstrip())]

    def _stands_before(self, closer: Token, opened: Token) -> bool:
        """Whether a brace is closed left of the line that opened it."""
        at = closer.span.start
        indents = [len(self._indent(one).expandtabs(4)) for one in (closer, opened)]
        return self._starts_line(at) and indents[0] < indents[1]

    def _unexpected(self, token: Token) -> None:
        """A token that the grammar does not allow where it stands."""
        at = token.span.start
        if str(token) in _CLOSERS and not self._closes(str(token)):
            self._unmatched(token)
            return
        if self.brackets and str(token).isidentifier() and self._starts_line(at):
            self._never_closed("before this line", token)
            self._resume(at)
            return
        allowed = self.parser.accepts()
        unexpected(self.report, self.source, token, allowed)
        if token.kind == END:
            self._resume(len(self._text), level=0)
        elif str(token) == "}":
            self._resume(at)
        elif token.kind == NEWLINE:
            self._line_ended(token, allowed)
        else:
            self._skip(at)

    def _line_ended(self, token: Token, allowed: set[str]) -> None:
        """A line that ends too early; what follows may show what was meant."""
        at, end = token.span.start, token.span.end
        opens = "{" in allowed
        if opens and brace_follows(self._text, end):
            return  # read on as if the brace stood on this line
        if opens and indent_of(self._text, end) > indent_of(
            self._text, self._text.rfind("\n", 0, at) + 1
        ):
            brace = Token("{", "{", Span(self.source, at, at))
            self.parser.feed(brace)
            self._note(brace, "{")
            return
        self._skip(end if goes_on(self._text, end) else at)

    # going on

    def _skip(self, at: int) -> None:
        """Go on after the statement, or outside braces the declaration, at `at`."""
        if len(self.braces) > 1:
            self._resume(skip_statement(self._text, at, len(self.brackets)))
        else:
            self._resume(skip_declaration(self._text, at))

    def _resume(self, at: int, level: int = -1) -> None:
        """Forget the statement that was begun, and read on at `at`.

        `level` 0 forgets the declaration that was begun.
        """
        brace = self.braces[level]
        if level == 0:
            del self.braces[1:]
        begun = self.parser.height >= brace.height
        if begun:  # else the parser has put the statement into its list already
            self.parser.cut(brace.height)
        self.previous = NEWLINE if begun else "SKIPPED"
        self.brackets.clear()
        self._damage(brace.start, at)
        self.lexer.at = at

    def _damage(self, start: int, end: int) -> None:
        self.damaged.append(Span(self.source, start, max(end, start + 1)))
        words = self._text[start:end].split("{", 1)[0]
        self.lost.update(re.findall(r"\w+", words))
        if words.lstrip().startswith("import"):
            self.lost.add(tree.ANY_NAME)

    def _finish(self) -> tuple[tree.Declaration, ...]:
        if self._is_inside:
            self._never_closed("", None)
            self._resume(len(self._text), level=0)
        return self._end()

    def _give_up(self) -> tuple[tree.Declaration, ...]:
        """What was read so far, when the rest is not worth reading."""
        found = self.report.diagnostics
        note = f"after {MAX_ERRORS} mistakes the rest of the file is not read"
        found[-1] = replace(found[-1], notes=(*found[-1].notes, note))
        self.lost.update(re.findall(r"\w+", self._text))
        self._resume(len(self._text), level=0)
        return self._end()

    def _end(self) -> tuple[tree.Declaration, ...]:
        end = len(self._text)
        declarations: tuple[tree.Declaration, ...]
        declarations = self.parser.feed(Token("", END, Span(self.source, end, end)))
        return declarations
