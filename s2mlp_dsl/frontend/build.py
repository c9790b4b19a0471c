"""Grammar rules to syntax nodes.

The parser calls one method per rule as soon as the rule is complete, so no
recursion is needed however deep the text nests. All tokens are kept in
`children`; a node's span runs from its first child to its last.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from s2mlp_dsl.bounds import limits
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.frontend.token import NAME, Token
from s2mlp_dsl.source import Span

Children = list[Any]


class TooDeep(Exception):
    """An expression nests deeper than anything that reads it may go."""

    def __init__(self, span: Span) -> None:
        super().__init__(span)
        self.span = span


def _span(children: Children) -> Span:
    first: Span = children[0].span
    return first.to(children[-1].span)


def _name(token: Token) -> tree.Name:
    return tree.Name(token.span, str(token))


def _nodes(children: Children) -> tuple[Any, ...]:
    return tuple(child for child in children if not isinstance(child, Token))


def _names(children: Children) -> list[tree.Name]:
    return [_name(c) for c in children if isinstance(c, Token) and c.kind == NAME]


class _Many(list[Any]):
    """The nodes of a repetition, on their way to the node that owns them."""

    @property
    def span(self) -> Span:
        first, last = self[0], self[-1]
        span: Span = first.span
        return span.to(last.span)


def _collect(_: Any, children: Children) -> _Many:
    many = _Many()
    for child in children:
        if isinstance(child, _Many):
            many = child  # left recursion: extend the list made so far
        elif not isinstance(child, Token):
            many.append(child)
    return many


def _depth(children: Children) -> int:
    """Of a node with these children. Raises `TooDeep`."""
    depth = 1
    for child in children:
        inside = child if isinstance(child, _Many) else (child,)
        for one in inside:
            node = one.value if isinstance(one, tree.Argument) else one
            depth = max(depth, 1 + getattr(node, "depth", 0))
    if depth > limits().nesting:
        raise TooDeep(_span(children))
    return depth


def _inside(children: Children) -> tuple[Any, ...]:
    """The nodes of the repetition between brackets, if there is one."""
    return next((tuple(c) for c in children if isinstance(c, _Many)), ())


class _Braced:
    """The text between braces: its span and its nodes."""

    def __init__(self, children: Children) -> None:
        self.span = _span(children)
        self.nodes = _inside(children)


def _braced(_: Any, children: Children) -> _Braced:
    return _Braced(children)


class _Params:
    def __init__(self, children: Children) -> None:
        self.span = _span(children)
        self.params: tuple[tree.Param, ...] = _inside(children)


def _declared(kind: Callable[..., Any]) -> Callable[[Any, Children], Any]:
    """`keyword NAME [params] { … }` to a node with the nodes of its braces."""

    def build(_: Any, children: Children) -> Any:
        params = next((c.params for c in children if isinstance(c, _Params)), ())
        content = children[-1]
        if isinstance(content, _Braced):
            content = content.nodes
        return kind(_span(children), _name(children[1]), params, content)

    return build


class Builder:
    """One method per rule of `grammar/arch.lark`."""

    items = param_list = shift_items = moves = ranges = _collect
    imported = statements = facts = settings = study_items = _collect
    arguments = elements = branch_list = _collect
    shift_body = claim_body = settings_body = study_body = branches = _braced

    def start(self, children: Children) -> tuple[Any, ...]:
        return _inside(children)

    def documented(self, children: Children) -> Any:
        declaration = children[-1]
        doc = str(children[0])[3:-3].replace("\r\n", "\n").strip()
        return replace(declaration, doc=doc or None)

    def edition(self, children: Children) -> tree.Edition:
        number = children[1]
        return tree.Edition(_span(children), tree.Number(number.span, str(number)))

    def imported_name(self, children: Children) -> "_ImportedName":
        return _ImportedName(children)

    def import_(self, children: Children) -> tree.Import:
        origin = children[3]
        return tree.Import(
            _span(children),
            tuple(one.imported for one in children[1]),
            tree.Text(origin.span, str(origin)[1:-1]),
        )

    def let(self, children: Children) -> tree.Let:
        return tree.Let(_span(children), _name(children[1]), children[3])

    shift = _declared(tree.Shift)
    block = _declared(tree.Block)
    model = _declared(tree.Model)

    def variant(self, children: Children) -> tree.Variant:
        base = children[3]
        if isinstance(base, tree.Name):
            base = tree.Call(base.span, base, ())
        return tree.Variant(_span(children), _name(children[1]), base)

    def params(self, children: Children) -> _Params:
        return _Params(children)

    def param(self, children: Children) -> tree.Param:
        names = _names(children)
        kind = names[1] if len(names) == 2 else None
        default = next(iter(_nodes(children)), None)
        return tree.Param(_span(children), names[0], kind, default)

    # shifts

    def edge_rule(self, children: Children) -> tree.EdgeRule:
        return tree.EdgeRule(_span(children), _name(children[1]))

    def displacement(self, children: Children) -> "_Displacement":
        return _Displacement(children)

    def group(self, children: Children) -> tree.ChannelGroup:
        share, displacement = children
        return tree.ChannelGroup(_span(children), share, displacement.moves)

    def rest(self, children: Children) -> tree.ChannelGroup:
        return tree.ChannelGroup(_span(children), None, children[1].moves)

    def each(self, children: Children) -> tree.Each:
        return tree.Each(_span(children), tuple(children[1]))

    def interleave(self, children: Children) -> tree.Interleave:
        return tree.Interleave(_span(children))

    def direction(self, children: Children) -> tree.Name:
        return _name(children[0])

    def move(self, children: Children) -> tree.Move:
        amount = children[1] if len(children) == 2 else None
        return tree.Move(_span(children), children[0].id, amount)

    def range(self, children: Children) -> tree.Range:
        direction, first, *rest = children
        last = rest[-1] if rest else None
        return tree.Range(_span(children), direction.id, first, last)

    # bodies

    def body(self, children: Children) -> tree.Body:
        return tree.Body(_span(children), _inside(children))

    def labelled(self, children: Children) -> tree.Statement:
        statement: tree.Statement = children[2]
        label = _name(children[0])
        return replace(statement, label=label, span=_span(children))

    def operation(self, children: Children) -> tree.Operation:
        call = children[0]
        if isinstance(call, Token):
            call = tree.Call(call.span, _name(call), ())
        return tree.Operation(call.span, call)

    def residual(self, children: Children) -> tree.Residual:
        return tree.Residual(_span(children), children[1])

    def region(self, children: Children) -> tree.Region:
        return tree.Region(_span(children), children[0], children[1])

    def parallel(self, children: Children) -> tree.Parallel:
        word, *_, branches = children
        head = tree.Call(
            _span(children[:-1]), _name(word), _inside(children[1:-1]), _depth(children)
        )
        return tree.Parallel(_span(children), head, branches.nodes)

    def branch(self, children: Children) -> tree.Body:
        body: tree.Body = children[1]
        return replace(body, span=_span(children))

    def stack(self, children: Children) -> tree.Stack:
        index = _name(children[3]) if len(children) == 5 else None
        part = tree.Part(_span(children), children[1], children[-1])
        return tree.Stack(part.span, index, (part,))

    def then(self, children: Children) -> tree.Stack:
        stack, _, count, body = children
        part = tree.Part(_span(children[1:]), count, body)
        parts = (*stack.parts, part)
        return tree.Stack(_span(children), stack.index, parts)

    # claims, recipes, studies

    def fact(self, children: Children) -> tree.Fact:
        return tree.Fact(_span(children), *children[::2])  # what stands between words

    def claim(self, children: Children) -> tree.Claim:
        return tree.Claim(_span(children), _name(children[1]), children[2].nodes)

    def setting(self, children: Children) -> tree.Setting:
        return tree.Setting(_span(children), _name(children[0]), children[2])

    def recipe(self, children: Children) -> tree.Recipe:
        return tree.Recipe(_span(children), _name(children[1]), children[2].nodes)

    def vary(self, children: Children) -> tree.Vary:
        return tree.Vary(_span(children), _name(children[1]), children[3])

    def case(self, children: Children) -> tree.Case:
        title = tree.Text(children[1].span, str(children[1])[1:-1])
        printed = children[4] if len(children) == 5 else None
        return tree.Case(_span(children), title, children[2].call, printed)

    def study(self, children: Children) -> tree.Study:
        of = _name(children[3]) if len(children) == 5 else None
        body = children[-1]
        return tree.Study(_span(children), _name(children[1]), of, body.nodes)

    # expressions

    def comparison(self, children: Children) -> Token:
        token: Token = children[0]
        return token

    def binary(self, children: Children) -> tree.Binary:
        left, operator, right = children
        return tree.Binary(
            _span(children), str(operator), left, right, _depth(children)
        )

    def negative(self, children: Children) -> tree.Negative:
        return tree.Negative(_span(children), children[1], _depth(children))

    def index(self, children: Children) -> tree.Index:
        return tree.Index(_span(children), children[0], children[2], _depth(children))

    def group_expr(self, children: Children) -> tree.Group:
        return tree.Group(_span(children), children[1], _depth(children))

    def number(self, children: Children) -> tree.Number:
        return tree.Number(_span(children), str(children[0]))

    def text(self, children: Children) -> tree.Text:
        return tree.Text(_span(children), str(children[0])[1:-1])

    def name(self, children: Children) -> tree.Name:
        return _name(children[0])

    def call(self, children: Children) -> tree.Call:
        return tree.Call(
            _span(children), _name(children[0]), _inside(children), _depth(children)
        )

    def argument(self, children: Children) -> tree.Argument:
        name = _name(children[0]) if len(children) == 3 else None
        return tree.Argument(_span(children), name, children[-1])

    def list(self, children: Children) -> tree.ListExpr:
        return tree.ListExpr(_span(children), _inside(children), _depth(children))


class _ImportedName:
    def __init__(self, children: Children) -> None:
        self.span = _span(children)
        alias = _name(children[2]) if len(children) == 3 else None
        self.imported = tree.Imported(_name(children[0]), alias)


class _Displacement:
    def __init__(self, children: Children) -> None:
        self.span = _span(children)
        self.moves: tuple[tree.Move, ...] = _inside(children)
