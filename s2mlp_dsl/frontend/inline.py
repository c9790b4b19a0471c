"""Syntax in one line."""

from dataclasses import dataclass

from s2mlp_dsl.frontend import tree
from s2mlp_dsl.source import Span

Element = tree.Expr | tree.Argument | tree.Param


@dataclass(frozen=True, slots=True)
class Bracket:
    """A bracket that may be broken over lines, with its items."""

    head: str
    open: str
    close: str
    items: tuple[Element, ...]
    first: Span
    last: Span
    node: tree.Expr | None = None


def bracket_of(node: tree.Expr) -> Bracket | None:
    """The bracket of an expression that is broken first, if it has one."""
    match node:
        case tree.Call(_, name, (first, *_) as items):
            return Bracket(
                name.id, "(", ")", tuple(items), first.span, items[-1].span, node
            )
        case tree.ListExpr(_, (first, *_) as items):
            return Bracket("", "[", "]", tuple(items), first.span, items[-1].span, node)
        case tree.Binary(_, _, left, right):
            return bracket_of(left) or bracket_of(right)
        case _:
            return None


def as_text(node: Element | tree.Imported | tree.ShiftItem | None) -> str:
    """Text in one line, lexemes as they were written."""
    match node:
        case tree.Name(_, id):
            return id
        case tree.Number(_, lexeme):
            return lexeme
        case tree.Text(_, value):
            return f'"{value}"'
        case tree.Group(_, inner):
            return f"({as_text(inner)})"
        case tree.Negative(_, operand):
            return f"-{as_text(operand)}"
        case tree.Binary(_, operator, left, right):
            space = "" if operator == "/" and _plain(left) and _plain(right) else " "
            return f"{as_text(left)}{space}{operator}{space}{as_text(right)}"
        case tree.Index(_, base, index):
            return f"{as_text(base)}[{as_text(index)}]"
        case tree.ListExpr(_, items):
            return f"[{', '.join(map(as_text, items))}]"
        case tree.Call(_, name, arguments):
            inside = ", ".join(map(as_text, arguments))
            return f"{name.id}({inside})"
        case tree.Argument(_, name, value):
            return f"{name.id} = {as_text(value)}" if name else as_text(value)
        case tree.Imported(_, name, alias):
            return f"{name.id} as {alias.id}" if alias else name.id
        case tree.Param(_, name, kind, default):
            annotation = f": {kind.id}" if kind else ""
            value = f" = {as_text(default)}" if default is not None else ""
            return f"{name.id}{annotation}{value}"
        case None:
            return ""
        case _:
            return _shift_item(node)


def _shift_item(node: tree.ShiftItem) -> str:
    match node:
        case tree.EdgeRule(_, rule):
            return f"edge {rule.id}"
        case tree.Interleave():
            return "interleave"
        case tree.ChannelGroup(_, share, moves):
            what = "rest" if share is None else as_text(share)
            where = " ".join(
                f"{move.direction} {as_text(move.amount)}".rstrip() for move in moves
            )
            return f"{what} {where or 'stay'}"
        case tree.Each(_, ranges):
            return "each " + " ".join(
                f"{one.direction} {as_text(one.first)}"
                + (f" .. {as_text(one.last)}" if one.last else "")
                for one in ranges
            )


def _plain(node: tree.Expr) -> bool:
    """`1/4` is written tight, `dim / 4` is not."""
    return isinstance(node, tree.Number)
