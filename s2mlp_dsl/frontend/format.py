"""A syntax tree as text, in the one layout that `fmt` gives every spec.

Four spaces per level, one statement a line, one blank line between
declarations, at most one where the author left some. Lexemes and comments stay
as they were written. A bracket is broken, one element a line, when it does not
fit in 88 columns, when it holds a comment, or when its author had broken it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from s2mlp_dsl.frontend import tree
from s2mlp_dsl.frontend.inline import Bracket, as_text, bracket_of
from s2mlp_dsl.source import Span

WIDTH = 88
INDENT = "    "


def format_file(file: tree.File) -> str:
    """The text of a file that parsed without mistakes."""
    printer = _Printer(file.source.text, list(file.comments))
    printer.declarations(file.declarations)
    printer.comments_before(len(file.source.text) + 1)
    lines = printer.lines
    return "\n".join(lines) + "\n" if lines else ""


@dataclass
class _Printer:
    """Prints declarations, and the comments of the text between them."""

    text: str
    comments: list[tree.Comment]  # still to be printed, in order
    lines: list[str] = field(default_factory=list)
    level: int = 0
    printed: int = 0  # offset in the source up to which everything is printed

    def __post_init__(self) -> None:
        self.all_comments = tuple(self.comments)

    def _find(self, bracket: str, start: int) -> int:
        """Offset just after the next bracket that is in no comment."""
        while self.text:
            start = self.text.find(bracket, start) + 1
            if not any(c.span.start < start <= c.span.end for c in self.all_comments):
                break
        return start

    # lines and comments

    def line(self, text: str, span: Span) -> None:
        """One line for what stands at `span`, after the comments above it."""
        self.comments_before(span.start)
        self._keep_blank(span.start)
        self.lines.append(INDENT * self.level + text)

    def done(self, end: int) -> None:
        """Everything up to `end` is printed; a comment beside it follows it."""
        self.printed = max(self.printed, end)
        while self.comments:
            start = self.comments[0].span.start
            between = self.text[end:start]
            if start < end or not between.strip(" \t,"):
                self._beside(self.comments.pop(0))
            else:
                return

    def comments_before(self, offset: int) -> None:
        while self.comments and self.comments[0].span.start < offset:
            comment = self.comments.pop(0)
            self._keep_blank(comment.span.start)
            self.lines.append(INDENT * self.level + comment.span.text.rstrip())
            self.printed = comment.span.end

    def _beside(self, comment: tree.Comment) -> None:
        self.lines[-1] += f"  {comment.span.text.rstrip()}"
        self.printed = comment.span.end

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
                listed = ", ".join(
                    f"{one.name.id} as {one.alias.id}" if one.alias else one.name.id
                    for one in names
                )
                self.line(f'import {listed} from "{origin.value}"', span)
            case tree.Let(span, name, value):
                self.expression(f"let {name.id} = ", value, "", span)
            case tree.Shift(span, name, params, items):
                after = self._head(f"shift {name.id}", params, span, name)
                self._braced(after, items, span.end)
            case tree.Block(span, name, params, body):
                self._head(f"block {name.id}", params, span, name)
                self._braced(body.span.start, body.statements, span.end)
            case tree.Model(span, name, params, body):
                self._head(f"model {name.id}", params, span, name)
                self._braced(body.span.start, body.statements, span.end)
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
        """What stands between the first brace `after` an offset and its end.

        A comment behind the opening brace stays there.
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
        match node:
            case tree.Operation(span, call, label=label):
                self.expression(_label(label), _bare(call), "", span)
            case tree.Residual(span, body, label=label):
                self.line(f"{_label(label)}residual {{", span)
                self._braced(body.span.start, body.statements, span.end)
            case tree.Region(span, call, body, label=label):
                self.expression(_label(label), call, " {", span)
                self._braced(body.span.start, body.statements, span.end)
            case tree.Parallel(span, call, branches, label=label):
                self.expression(_label(label), call, " {", span)
                self._braced(call.span.end, branches, span.end)
            case tree.Body(span, statements):
                self.line("branch {", span)
                self._braced(span.start, statements, span.end)
            case tree.Stack():
                self._stack(node)
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

    def _stack(self, stack: tree.Stack) -> None:
        for number, part in enumerate(stack.parts):
            index = f" as {stack.index.id}" if stack.index and number == 0 else ""
            count = f"{as_text(part.count)}{index} {{"
            if number == 0:
                self.line(f"{_label(stack.label)}stack {count}", stack.span)
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
        return any(first - 1 <= c.span.start < last for c in self.comments) or (
            "\n" in self.text[self._opening(bracket) : first]
        )

    def _opening(self, bracket: Bracket) -> int:
        """Offset just after the bracket's opening character."""
        start = bracket.first.start
        while self.text:
            start = self.text.rfind(bracket.open, 0, start)
            if not any(c.span.start <= start < c.span.end for c in self.all_comments):
                break
        return start + 1

    def _bracket(self, before: str, bracket: Bracket, after: str, span: Span) -> None:
        elements = [as_text(one) for one in bracket.items]
        whole = f"{before}{bracket.head}{bracket.open}{', '.join(elements)}"
        whole += f"{bracket.close}{after}"
        if not self._breaks(whole, bracket):
            self.line(whole, span)
            return
        self.line(f"{before}{bracket.head}{bracket.open}", span)
        if self.text:
            self.done(self._opening(bracket))
        self.level += 1
        for item in bracket.items:
            inner = item.value if isinstance(item, tree.Argument) else None
            if inner is not None and bracket_of(inner) is not None:
                assert isinstance(item, tree.Argument)
                name = f"{item.name.id} = " if item.name else ""
                self.expression(name, inner, ",", item.span)
            elif not isinstance(item, tree.Argument | tree.Param):
                self.expression("", item, ",", item.span)
            else:
                self.line(f"{as_text(item)},", item.span)
            self.done(item.span.end)
        end = self._find(bracket.close, bracket.last.end)
        self.comments_before(end)
        self.level -= 1
        self.lines.append(f"{INDENT * self.level}{bracket.close}{after}")
        self.printed = end


# A body that stands by itself is a branch.
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


def _label(label: tree.Name | None) -> str:
    return f"{label.id}: " if label else ""


def _tight(one: tree.Declaration, other: tree.Declaration) -> bool:
    """Imports and lets stand together in groups."""
    kinds = (tree.Import, tree.Let)
    return isinstance(one, kinds) and type(one) is type(other)
