"""Text to syntax tree, with as many independent errors as the text has.

Tokens are fed to Lark's parser one at a time. At each `{` and each newline
inside braces the height of the parser's stack is noted; after an error the
stack is cut back to that height, the rest of the statement is skipped, and
reading goes on with the next one.
"""

from dataclasses import dataclass, field

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedToken
from lark.parsers.lalr_interactive_parser import InteractiveParser

from s2mlp_dsl.diagnostics import Label, Report
from s2mlp_dsl.source import Source, Span
from s2mlp_dsl.syntax import codes, tree
from s2mlp_dsl.syntax.build import current_comments, current_source, token_span
from s2mlp_dsl.syntax.explain import bad_character, unexpected
from s2mlp_dsl.syntax.grammar import parser
from s2mlp_dsl.syntax.skip import skip_statement

MAX_DEPTH = 100
_CLOSERS = {"}": "{", ")": "(", "]": "["}


def parse(source: Source, report: Report) -> tree.File:
    """Read a whole file. Mistakes go to `report`; what parses is returned."""
    comments: list[tree.Comment] = []
    reset_source = current_source.set(source)
    reset_comments = current_comments.set(comments)
    try:
        reader = _Reader(source, report)
        declarations = reader.read()
    finally:
        current_source.reset(reset_source)
        current_comments.reset(reset_comments)
    return tree.File(
        source,
        declarations,
        tuple(comments),
        tuple(reader.damaged),
        frozenset(reader.lost),
    )


def parse_expression(source: Source, report: Report) -> tree.Expr:
    """Read one expression, as given to `--set`. Raises `Poisoned` if it is none."""
    reset_source = current_source.set(source)
    reset_comments = current_comments.set([])
    try:
        expression: tree.Expr = parser().parse(source.text, start="expr")
        return expression
    except UnexpectedCharacters as error:
        raise bad_character(report, source, error.pos_in_stream or 0) from error
    except UnexpectedToken as error:
        raise unexpected(report, source, error.token, error.accepts or set()) from error
    finally:
        current_source.reset(reset_source)
        current_comments.reset(reset_comments)


@dataclass
class _Brace:
    """An open brace, and the stack height at the start of its last statement."""

    token: Token | None
    height: int


@dataclass
class _Reader:
    source: Source
    report: Report
    damaged: list[Span] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    braces: list[_Brace] = field(default_factory=list)
    brackets: list[Token] = field(default_factory=list)  # ( and [ in this statement
    previous: str = "_NL"

    def read(self) -> tuple[tree.Declaration, ...]:
        parse = parser().parse_interactive(self.source.text, start="start")
        self.braces = [_Brace(None, len(parse.parser_state.state_stack))]
        while True:
            try:
                for token in parse.lexer_thread.lex(parse.parser_state):
                    if not self._feed(parse, token):
                        return ()
                return self._finish(parse)
            except UnexpectedCharacters as error:
                at = error.pos_in_stream or 0
                bad_character(self.report, self.source, at)
                self._recover(parse, at)
            except UnexpectedToken as error:
                token = error.token
                accepted = parse.accepts()
                unexpected(self.report, self.source, token, accepted, self.brackets)
                if token.type == "$END":
                    return ()
                self._recover(parse, token.start_pos or 0)

    def _feed(self, parse: InteractiveParser, token: Token) -> bool:
        """Pass one token on. False: nothing after it can be understood."""
        if token.type == "_NL" and (
            self.brackets or self.previous == "_NL" or self.previous == "{"
        ):
            return True
        text = str(token)
        if text in _CLOSERS and not self._closes(text):
            return self._unmatched(parse, token)
        parse.feed_token(token)
        self.previous = token.type if token.type == "_NL" else text
        if text in ("(", "["):
            self.brackets.append(token)
        elif text in (")", "]"):
            self.brackets.pop()
        elif text == "{":
            self.braces.append(_Brace(token, len(parse.parser_state.state_stack)))
        elif text == "}":
            self.braces.pop()
        elif token.type == "_NL":
            self.braces[-1].height = len(parse.parser_state.state_stack)
        if len(self.braces) + len(self.brackets) > MAX_DEPTH:
            self.report.add(
                codes.TOO_DEEP,
                token_span(token),
                f"this is level {MAX_DEPTH}",
                help="name the inner part as a block of its own",
            )
            return False
        return True

    def _closes(self, closer: str) -> bool:
        """Whether the innermost open bracket is of this closer's kind."""
        if self.brackets:
            return str(self.brackets[-1]) == _CLOSERS[closer]
        return closer == "}" and len(self.braces) > 1

    def _unmatched(self, parse: InteractiveParser, token: Token) -> bool:
        """A closer that closes nothing, or a bracket that it leaves open."""
        if not self.brackets:
            self.report.add(codes.NOT_OPENED, token_span(token), help="remove it")
            self._damage(token.start_pos or 0, token.end_pos or 0)
            return True
        opened = self.brackets[-1]
        self.report.add(
            codes.NOT_CLOSED,
            token_span(opened),
            secondary=[Label(token_span(token), "before this")],
            help=f"add the closing `{'])'[str(opened) == '(']}`",
        )
        self._recover(parse, token.start_pos or 0)
        return True

    def _recover(self, parse: InteractiveParser, at: int) -> None:
        """Cut the stack back to the start of the statement and skip its text."""
        brace = self.braces[-1]
        state = parse.parser_state
        complete = len(state.state_stack) < brace.height
        if not complete:
            del state.state_stack[brace.height :]
            del state.value_stack[brace.height - 1 :]
            self.previous = "_NL"
        self.brackets.clear()
        end = skip_statement(self.source.text, at)
        start = self.source.text.rfind("\n", 0, at) + 1
        self._damage(start, end)
        line = parse.lexer_thread.state.line_ctr
        line.feed(Token("SKIPPED", self.source.text[line.char_pos : end]))

    def _damage(self, start: int, end: int) -> None:
        span = Span(self.source, start, max(end, start + 1))
        self.damaged.append(span)
        words = self.source.text[start:end].split("\n", 1)[0]
        self.lost.update(
            "".join(c if c.isalnum() or c == "_" else " " for c in words).split()
        )

    def _finish(self, parse: InteractiveParser) -> tuple[tree.Declaration, ...]:
        if len(self.braces) > 1 or self.brackets:
            opened = self.brackets[-1] if self.brackets else self.braces[-1].token
            assert opened is not None
            closer = {"{": "}", "(": ")", "[": "]"}[str(opened)]
            self.report.add(
                codes.NOT_CLOSED,
                token_span(opened),
                help=f"add the closing `{closer}`",
            )
            self._damage(0, len(self.source.text))
            return ()
        declarations: tuple[tree.Declaration, ...] = parse.feed_eof()
        return declarations
