"""What is wrong with a shift, however many channels it is used on."""

from collections.abc import Sequence
from typing import TypeVar, get_args

from s2mlp_dsl.diagnostics import Label, Report
from s2mlp_dsl.diagnostics.suggest import did_you_mean
from s2mlp_dsl.elaborate import codes
from s2mlp_dsl.frontend import tree
from s2mlp_dsl.ir.program import Edge
from s2mlp_dsl.source import Span

_AXES = {
    "right": "right or left",
    "left": "right or left",
    "down": "down or up",
    "up": "down or up",
    "later": "in time",
    "earlier": "in time",
}
EDGES: tuple[Edge, ...] = get_args(Edge)
RULES_ARE = f"the rules are {', '.join(EDGES)}"

Item = TypeVar("Item")


def check_form(shift: tree.Shift, report: Report) -> bool:
    """Report every such mistake. True: there is none."""
    found = Report()
    items = shift.items
    _edge(shift, found)
    for kind in (tree.EdgeRule, tree.Each, tree.Interleave):
        _once([item.span for item in items if isinstance(item, kind)], found)
    _once([item.span for item in items if _is_rest(item)], found)
    for item in items:
        if isinstance(item, tree.ChannelGroup):
            _moves(item.moves, found)
        elif isinstance(item, tree.Each):
            _moves(item.ranges, found)
    report.extend(found)
    return not found.diagnostics


def one_of(items: Sequence[tree.ShiftItem], kind: type[Item]) -> Item | None:
    """The item of a kind, of which there is at most one."""
    return next((item for item in items if isinstance(item, kind)), None)


def rest_of(items: Sequence[tree.ShiftItem]) -> tree.ChannelGroup | None:
    """The group that takes what no share names."""
    for item in items:
        if isinstance(item, tree.ChannelGroup) and item.share is None:
            return item
    return None


def _is_rest(item: tree.ShiftItem) -> bool:
    return isinstance(item, tree.ChannelGroup) and item.share is None


def _edge(shift: tree.Shift, report: Report) -> None:
    rule = one_of(shift.items, tree.EdgeRule)
    if rule is None:
        report.add(
            codes.NO_EDGE,
            shift.name.span,
            f"`{shift.name.id}` has no line `edge …`",
            help="write `edge keep`, as the paper does, or clamp, zero, wrap, reflect",
        )
    elif rule.rule.id not in (*EDGES, *(param.name.id for param in shift.params)):
        report.add(
            codes.UNKNOWN_EDGE,
            rule.rule.span,
            RULES_ARE,
            help=did_you_mean(rule.rule.id, EDGES, few=0)
            or "write `edge keep`, as the paper does",
        )


def _once(spans: Sequence[Span], report: Report) -> None:
    for again in spans[1:]:
        report.add(
            codes.SAID_TWICE,
            again,
            secondary=[Label(spans[0], "first here")],
            help="remove one of them",
        )


def _moves(moves: Sequence[tree.Move | tree.Range], report: Report) -> None:
    """Each axis once."""
    seen: dict[str, Span] = {}
    for move in moves:
        axis = _AXES[move.direction]
        if axis in seen:
            report.add(
                codes.SAID_TWICE,
                move.span,
                f"how far it goes {axis}",
                secondary=[Label(seen[axis], "said here already")],
                help="write the sum of both",
            )
        seen.setdefault(axis, move.span)
