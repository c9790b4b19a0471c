"""Grammar rules to syntax nodes.

Lark calls one method per rule of `grammar/arch.lark` as soon as the rule is complete,
so nothing recurses however deep the text nests. The children of a rule are its tokens
and nodes, and None for each symbol of a `[ ]` that was left out; those of a rule whose
name begins with `_` belong to the rule around it. A node's span runs from its first
child to its last.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from lark import Token, Transformer

from s2mlp_dsl.bounds import limits
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.source import Source, Span

Children = list[Any]
Method = Callable[[Any, Children], Any]


class TooDeep(Exception):
    """An expression nests deeper than the limit."""

    def __init__(self, span: Span) -> None:
        super().__init__(span)
        self.span = span


@dataclass(frozen=True, slots=True)
class _Reading:
    """The text that is parsed: Lark's tokens have positions, but no source."""

    source: Source
    comments: list[tree.Comment] = field(default_factory=list)


_reading: ContextVar[_Reading] = ContextVar("reading")


@contextmanager
def reading(source: Source) -> Iterator[list[tree.Comment]]:
    """Nodes that are built inside `with` are of this text. Gives its comments."""
    text = _Reading(source)
    token = _reading.set(text)
    try:
        yield text.comments
    finally:
        _reading.reset(token)


def keep_comment(token: Token) -> Token:
    """Called by the lexer with every comment."""
    _reading.get().comments.append(tree.Comment(_at(token)))
    return token


def place(token: Token) -> tuple[int, int]:
    """Start and end of a lexed token, which Lark's types leave optional."""
    assert token.start_pos is not None and token.end_pos is not None
    return token.start_pos, token.end_pos


def _at(token: Token) -> Span:
    return Span(_reading.get().source, *place(token))


def _span(children: Children) -> Span:
    first, last = children[0], children[-1]
    if last is None:
        last = next(child for child in reversed(children) if child is not None)
    start = place(first)[0] if isinstance(first, Token) else first.span.start
    end = place(last)[1] if isinstance(last, Token) else last.span.end
    return Span(_reading.get().source, start, end)


def _all(kind: Any, children: Children) -> tuple[Any, ...]:
    return tuple(child for child in children if isinstance(child, kind))


def _depth(span: Span, parts: Children) -> int:
    """The depth of an expression with these parts. Raises `TooDeep`."""
    depth = 1 + max(getattr(part, "depth", 0) for part in parts)
    if depth > limits().nesting:
        raise TooDeep(span)
    return depth


def _node(kind: Callable[..., Any], *fields: int) -> Method:
    """For a rule whose children at these indices are the fields of a node."""

    def build(_: Any, children: Children) -> Any:
        return kind(_span(children), *[children[field] for field in fields])

    return build


def _nested(kind: Callable[..., Any], *fields: int) -> Method:
    """As `_node`, for an expression with others inside."""

    def build(_: Any, children: Children) -> Any:
        span, values = _span(children), [children[field] for field in fields]
        return kind(span, *values, depth=_depth(span, values))

    return build


def _listing(kind: Callable[..., Any], items: Any, *fields: int) -> Method:
    """As `_node`, with all children of the type `items` as the last field."""

    def build(_: Any, children: Children) -> Any:
        values = [children[field] for field in fields]
        return kind(_span(children), *values, _all(items, children))

    return build


class Builder(Transformer[Token, Any]):
    """One method per rule of the grammar, and per terminal that is a node."""

    def NAME(self, token: Token) -> tree.Name:
        return tree.Name(_at(token), token.value)

    def NUMBER(self, token: Token) -> tree.Number:
        return tree.Number(_at(token), token.value)

    def STRING(self, token: Token) -> tree.Text:
        return tree.Text(_at(token), token.value[1:-1])

    # declarations

    def start(self, children: Children) -> tuple[tree.Declaration, ...]:
        return _all(tree.Node, children)

    def documented(self, children: Children) -> Any:
        doc = children[0].value[3:-3].replace("\r\n", "\n").strip()
        return replace(children[-1], doc=doc or None)

    edition = _node(tree.Edition, 1)
    imported = _node(tree.Imported, 0, 2)
    let = _node(tree.Let, 1, 3)
    variant = _node(tree.Variant, 1, 3)
    param = _node(tree.Param, 0, 2, 4)

    def import_(self, children: Children) -> tree.Import:
        names = _all(tree.Imported, children)
        return tree.Import(_span(children), names, children[-1])

    def shift(self, children: Children) -> tree.Shift:
        params, items = _all(tree.Param, children), _all(tree.ShiftItem, children)
        return tree.Shift(_span(children), children[1], params, items)

    def block(self, children: Children) -> tree.Block:
        params = _all(tree.Param, children)
        return tree.Block(_span(children), children[1], params, children[-1])

    def model(self, children: Children) -> tree.Model:
        params = _all(tree.Param, children)
        return tree.Model(_span(children), children[1], params, children[-1])

    claim = _listing(tree.Claim, tree.Fact, 1)
    recipe = _listing(tree.Recipe, tree.Setting, 1)
    setting = _node(tree.Setting, 0, 2)
    study = _listing(tree.Study, tree.Setting | tree.Vary | tree.Case, 1, 3)
    vary = _node(tree.Vary, 1, 3)
    case = _node(tree.Case, 1, 2, 4)

    def fact(self, children: Children) -> tree.Fact:
        return tree.Fact(_span(children), *children[::2])  # between: `~=`, `within`

    # shifts

    edge_rule = _node(tree.EdgeRule, 1)
    interleave = _node(tree.Interleave)
    each = _listing(tree.Each, tree.Range)
    group = _listing(tree.ChannelGroup, tree.Move, 0)

    def rest(self, children: Children) -> tree.ChannelGroup:
        return tree.ChannelGroup(_span(children), None, _all(tree.Move, children))

    def move(self, children: Children) -> tree.Move:
        direction, amount = children
        return tree.Move(_span(children), direction.value, amount)

    def range(self, children: Children) -> tree.Range:
        direction, first, *rest = children
        last = rest[-1] if rest else None
        return tree.Range(_span(children), direction.value, first, last)

    # bodies

    body = _listing(tree.Body, tree.Statement)
    residual = _node(tree.Residual, 1)
    region = _node(tree.Region, 0, 1)
    operation = _node(tree.Operation, 0)
    parallel = _listing(tree.Parallel, tree.Body, 0)
    then = _node(tree.Part, 1, 2)

    def bare(self, children: Children) -> tree.Call:
        name = children[0]
        return tree.Call(name.span, name, ())

    def labelled(self, children: Children) -> Any:
        label, _, statement = children
        return replace(statement, label=label, span=_span(children))

    def merge(self, children: Children) -> tree.Call:
        return self.call([self.NAME(children[0]), *children[1:]])

    def branch(self, children: Children) -> tree.Body:
        return tree.Body(_span(children), children[1].statements)

    def stack(self, children: Children) -> tree.Stack:
        _, count, _, index, body, *then = children
        first = tree.Part(_span(children[:5]), count, body)
        return tree.Stack(_span(children), index, (first, *then))

    # expressions

    negative = _nested(tree.Negative, 1)
    index = _nested(tree.Index, 0, 2)
    parentheses = _nested(tree.Group, 1)

    def binary(self, children: Children) -> tree.Binary:
        left, operator, right = children
        span = _span(children)
        depth = _depth(span, [left, right])
        return tree.Binary(span, operator.value, left, right, depth=depth)

    def call(self, children: Children) -> tree.Call:
        span, (name, *inside) = _span(children), children
        arguments = _all(tree.Argument, inside)
        return tree.Call(span, name, arguments, depth=_depth(span, inside))

    def argument(self, children: Children) -> tree.Argument:
        name = children[0] if len(children) == 3 else None
        return tree.Argument(_span(children), name, children[-1])

    def list(self, children: Children) -> tree.ListExpr:
        span, items = _span(children), _all(tree.Node, children)
        return tree.ListExpr(span, items, depth=_depth(span, children))
