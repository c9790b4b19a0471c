"""A syntax tree as text, in the layout of `fmt`.

Four spaces per level, one statement per line, one blank line between declarations, at
most one where the author left some. Lexemes and comments stay as they were written. A
bracket is broken, one element per line, when it does not fit in 88 columns, when there
is a comment in it, or when its author broke it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from s2mlp_dsl.frontend import tree
from s2mlp_dsl.frontend.inline import Bracket, as_text, bracket_of
from s2mlp_dsl.source import Span

WIDTH = 88
INDENT = "    "


def format_file(file: tree.File) -> str:
    """The text of a file that parsed without mistakes."""
    printer = _Printer(file.source.text, file.comments)
    printer.declarations(file.declarations)
    printer.comments_before(len(file.source.text) + 1)
    lines = printer.lines
    return "\n".join(lines) + "\n" if lines else ""


@dataclass
class _Printer:
    """Prints declarations, and the comments of the text between them."""

    text: str
    comments: Sequence[tree.Comment]
    lines: list[str] = field(default_factory=list)
    level: int = 0
    printed: int = 0  # offset in the source up to which everything is printed
    next: int = 0  # the first comment that is not printed

    def __post_init__(self) -> None:
        self.starts = [comment.span.start for comment in self.comments]

    def _is_comment(self, offset: int) -> bool:
        """Whether a comment is around a character."""
        number = bisect_right(self.starts, offset) - 1
        return number >= 0 and offset < self.comments[number].span.end

    def _find(self, bracket: str, start: int) -> int:
        """Offset just after the next bracket that is not in a comment."""
        start = self.text.find(bracket, start)
        while self._is_comment(start):
            start = self.text.find(bracket, start + 1)
        return start + 1

    # lines and comments

    def line(self, text: str, span: Span) -> None:
        """A line for what was at `span`, after the comments above it."""
        self.comments_before(span.start)
        self._keep_blank(span.start)
        self.lines.append(INDENT * self.level + text)

    def done(self, end: int) -> None:
        """Everything up to `end` is printed; a comment beside it follows it."""
        self.printed = max(self.printed, end)
        while self.next < len(self.comments):
            comment = self.comments[self.next]
            start = comment.span.start
            if start >= end and self.text[end:start].strip(" \t,"):
                return
            self.lines[-1] += f"  {comment.span.text.rstrip()}"
            self.printed = comment.span.end
            self.next += 1

    def comments_before(self, offset: int) -> None:
        for comment in self.comments[self.next : bisect_left(self.starts, offset)]:
            self._keep_blank(comment.span.start)
            self.lines.append(INDENT * self.level + comment.span.text.rstrip())
            self.printed = comment.span.end
            self.next += 1

    def _keep_blank(self, start: int) -> None:
        """A blank line where the author left one, except after an opening brace."""
        opens = not self.lines or self.lines[-1].endswith(("{", "(", "["))
        blank = self.text[self.printed : start].count("\n") > 1
        if blank and not opens and self.lines[-1]:
            self.lines.append("")

    # declarations

    def declarations(self, declarations: Sequence[tree.Declaration]) -> None:
        for number, declaration in enumerate(declarations):
            tight = number and _tight(declarations[number - 1], declaration)
            if number and not tight and self.lines[-1]:
                self.lines.append("")
            self._declaration(declaration)

    def _declaration(self, node: tree.Declaration) -> None:
        doc = getattr(node, "doc", None)
        if doc is not None:
            # A comment between the text and what it documents moves above both.
            self.comments_before(node.span.start)
            start = self.text.rfind('"""', 0, node.span.start)
            self._keep_blank(self.text.rfind('"""', 0, max(start, 0)))
            # Four quotes in a row would end the text one character too early.
            space = " " if doc.endswith('"') else ""
            self.lines += f'"""{doc}{space}"""'.split("\n")
            self.printed = node.span.start
        match node:
            case tree.Edition(span, number):
                self.line(f"edition {number.lexeme}", span)
            case tree.Import(span, names, origin):
                listed = ", ".join(map(as_text, names))
                self.line(f'import {listed} from "{origin.value}"', span)
            case tree.Let(span, name, value):
                self.expression(f"let {name.id} = ", value, "", span)
            case tree.Shift(span, name, params, items):
                after = self._head(f"shift {name.id}", params, span, name)
                self._braced(after, items, span.end)
            case tree.Block() | tree.Model():
                keyword, name = type(node).__name__.lower(), node.name
                self._head(f"{keyword} {name.id}", node.params, node.span, name)
                self._braced(node.body.span.start, node.body.statements, node.span.end)
            case tree.Variant(span, name, base):
                self.expression(f"model {name.id} = ", _bare(base), "", span)
            case tree.Claim(span, model, facts):
                self.line(f"claim {model.id} {{", span)
                self._braced(model.span.end, facts, span.end)
            case tree.Recipe(span, name, settings):
                self.line(f"recipe {name.id} {{", span)
                self._braced(name.span.end, settings, span.end)
            case tree.Study(span, name, of, items):
                about = f" of {of.id}" if of else ""
                self.line(f"study {name.id}{about} {{", span)
                self._braced((of or name).span.end, items, span.end)
        self.done(node.span.end)

    def _head(
        self, head: str, params: tuple[tree.Param, ...], span: Span, name: tree.Name
    ) -> int:
        """The line that opens a declaration; returns where its head ends."""
        if not params:
            self.line(f"{head} {{", span)
            return name.span.end
        inside = Bracket(head, "(", ")", params, params[0].span, params[-1].span)
        self._bracket("", inside, " {", span)
        return params[-1].span.end

    def _braced(self, after: int, nodes: Iterable["_Inner"], end: int) -> None:
        """The lines of a body, its opening brace being the first one `after` an offset.

        A comment beside the opening brace stays there.
        """
        self.done(self._find("{", after))
        self.level += 1
        for node in nodes:
            self._inner(node)
        self.comments_before(end)
        self.level -= 1
        self.lines.append(INDENT * self.level + "}")
        self.printed = end

    def _inner(self, node: "_Inner") -> None:
        name = getattr(node, "label", None)
        label = f"{name.id}: " if name else ""
        match node:
            case tree.Operation(span, call):
                self.expression(label, _bare(call), "", span)
            case tree.Residual(span, body):
                self.line(f"{label}residual {{", span)
                self._braced(body.span.start, body.statements, span.end)
            case tree.Region(span, call, body):
                self.expression(label, call, " {", span)
                self._braced(body.span.start, body.statements, span.end)
            case tree.Parallel(span, call, branches):
                self.expression(label, call, " {", span)
                self._braced(call.span.end, branches, span.end)
            case tree.Body(span, statements):
                self.line("branch {", span)
                self._braced(span.start, statements, span.end)
            case tree.Stack():
                self._stack(node, label)
            case tree.Fact(span, expression, None):
                self.expression("", expression, "", span)
            case tree.Fact(span, expression, about, within):
                after = f" ~= {as_text(about)}"
                if within is not None:
                    after += f" within {as_text(within)}"
                self.expression("", expression, after, span)
            case tree.Setting(span, name, value):
                self.expression(f"{name.id} = ", value, "", span)
            case tree.Vary(span, name, values):
                self.expression(f"vary {name.id} = ", values, "", span)
            case tree.Case(span, title, model, printed):
                after = f" printed {as_text(printed)}" if printed else ""
                self.expression(f'case "{title.value}" ', _bare(model), after, span)
            case (
                tree.EdgeRule() | tree.ChannelGroup() | tree.Each() | tree.Interleave()
            ):
                self.line(as_text(node), node.span)
        self.done(node.span.end)

    def _stack(self, stack: tree.Stack, label: str) -> None:
        for number, part in enumerate(stack.parts):
            index = f" as {stack.index.id}" if stack.index and number == 0 else ""
            count = f"{as_text(part.count)}{index} {{"
            if number == 0:
                self.line(f"{label}stack {count}", stack.span)
            else:
                self.lines[-1] += f" then {count}"
            body = part.body
            self._braced(body.span.start, body.statements, body.span.end)

    # expressions

    def expression(self, before: str, node: tree.Expr, after: str, span: Span) -> None:
        """`before node after` in one line, or with its last bracket broken."""
        whole = f"{before}{as_text(node)}{after}"
        bracket = bracket_of(node)
        if bracket is None or not self._breaks(whole, bracket):
            self.line(whole, span)
            return
        head, tail = as_text(node).split(as_text(bracket.node), 1)
        self._bracket(before + head, bracket, tail + after, span)

    def _breaks(self, whole: str, bracket: Bracket) -> bool:
        first, last = bracket.first.start, bracket.last.end
        if len(INDENT * self.level + whole) > WIDTH:
            return True
        number = max(self.next, bisect_left(self.starts, first - 1))
        if number < len(self.starts) and self.starts[number] < last:
            return True
        return "\n" in self.text[self._opening(bracket) : first]

    def _opening(self, bracket: Bracket) -> int:
        """Offset just after the bracket's opening character."""
        start = self.text.rfind(bracket.open, 0, bracket.first.start)
        while self._is_comment(start):
            start = self.text.rfind(bracket.open, 0, start)
        return start + 1

    def _bracket(self, before: str, bracket: Bracket, after: str, span: Span) -> None:
        elements = ", ".join(map(as_text, bracket.items))
        head = f"{before}{bracket.head}{bracket.open}"
        whole = f"{head}{elements}{bracket.close}{after}"
        if not self._breaks(whole, bracket):
            self.line(whole, span)
            return
        self.line(head, span)
        if self.text:
            self.done(self._opening(bracket))
        self.level += 1
        for item in bracket.items:
            match item:
                case tree.Param():
                    self.line(f"{as_text(item)},", item.span)
                case tree.Argument(_, name, value):
                    before = f"{name.id} = " if name else ""
                    self.expression(before, value, ",", item.span)
                case _:
                    self.expression("", item, ",", item.span)
            self.done(item.span.end)
        end = self._find(bracket.close, bracket.last.end)
        self.comments_before(end)
        self.level -= 1
        self.lines.append(f"{INDENT * self.level}{bracket.close}{after}")
        self.printed = end


# A body that is not part of another node is a branch.
_Inner = (
    tree.Statement
    | tree.Body
    | tree.ShiftItem
    | tree.Fact
    | tree.Setting
    | tree.Vary
    | tree.Case
)


def _bare(call: tree.Call) -> tree.Call | tree.Name:
    """A call without arguments is written without parentheses."""
    return call if call.arguments else call.name


def _tight(first: tree.Declaration, second: tree.Declaration) -> bool:
    """No blank line is added between imports, nor between lets."""
    kinds = (tree.Import, tree.Let)
    return isinstance(first, kinds) and type(first) is type(second)
