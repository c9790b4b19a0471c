"""The lowered torch.fx graph, its nodes grouped by the statement they come from.

Of each run of a stack one iteration is drawn: the others trace to the same
nodes. The only view that needs PyTorch.
"""

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from graphviz import Digraph, escape
from torch import fx, nn

from s2mlp_dsl.emit.dot_label import FONT, Text, cell, label, row, table
from s2mlp_dsl.emit.theme import THEMES, Theme, ThemeName
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.ir.walk import occurrences

MOST_NODES = 400


@dataclass(frozen=True)
class Node:
    """A node of the drawing: its fx name, what it calls, its statement's path."""

    name: str
    kind: str
    calls: str
    statement: str
    inputs: tuple[str, ...]


class _Tracer(fx.Tracer):
    """Traces into the modules of statements, down to those of torch.nn."""

    def iter(self, obj: Any) -> Iterator[Any]:
        # torch.split with a list of sizes gives as many maps as sizes.
        if obj.node.target is torch.split and isinstance(obj.node.args[1], list):
            numbers = range(len(obj.node.args[1]))
            return (operator.getitem(obj, number) for number in numbers)
        return iter(super().iter(obj))


class _Whole(fx.Tracer):
    """Traces statements as they are, where one cannot be looked into."""

    def __init__(self, statements: set[str]) -> None:
        super().__init__()
        self.statements = statements

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return _pattern(module_qualified_name, self.statements) is not None


def nodes_of(model: Model, module: nn.Module) -> list[Node]:
    """The traced nodes, equal iterations once, with folded paths."""
    paths = {one.path for one in occurrences(model)}
    try:
        graph = _Tracer().trace(module)
    except (fx.proxy.TraceError, TypeError):
        graph = _Whole(paths).trace(module)
    kept: dict[tuple[str, int], Node] = {}
    drawn: dict[fx.Node, str] = {}
    within: dict[str, int] = {}
    for node in graph.nodes:
        if node.op == "get_attr":
            continue
        owner = _owner(node)
        statement, first = _folded(owner, paths)
        place = _iteration(owner)
        number = within[place] = within.get(place, 0) + 1
        key = (_iteration(first), number)
        if place == _iteration(first):
            fed = [drawn[one] for one in node.all_input_nodes if one in drawn]
            inputs = tuple(dict.fromkeys(fed))
            kept[key] = Node(node.name, node.op, _calls(node), statement, inputs)
        drawn[node] = kept[key].name if key in kept else node.name
    return list(kept.values())


def _owner(node: fx.Node) -> str:
    stack = node.meta.get("nn_module_stack") or {}
    owner = next(reversed(stack), "")
    return str(node.target) if node.op == "call_module" else str(owner)


def _iteration(path: str) -> str:
    """Up to the last index of a stack: where equal nodes are counted."""
    parts = path.split(".")
    while parts and not parts[-1].isdigit():
        parts.pop()
    return ".".join(parts)


def _folded(owner: str, paths: set[str]) -> tuple[str, str]:
    """The path of a statement or frame, and the owner in the first iteration."""
    parts = owner.split(".")
    folded: list[str] = []
    first: list[str] = []
    for part in parts:
        range_ = _range(".".join(folded), part, paths) if part.isdigit() else part
        folded.append(range_)
        first.append(range_.split("-")[0] if part.isdigit() else part)
    return ".".join(folded), ".".join(first)


def _range(prefix: str, index: str, paths: set[str]) -> str:
    """`0-35`, the run of a stack that an iteration belongs to."""
    for path in paths:
        if path.startswith(f"{prefix}."):
            run = path[len(prefix) + 1 :].split(".")[0]
            low, _, high = run.partition("-")
            if low.isdigit() and int(low) <= int(index) <= int(high or low):
                return run
    return index


def _pattern(path: str, paths: set[str]) -> str | None:
    folded, _ = _folded(path, paths)
    return folded if folded in paths else None


def _calls(node: fx.Node) -> str:
    if node.op == "call_function":
        return str(getattr(node.target, "__name__", node.target))
    if node.op == "call_method":
        return f".{node.target}"
    return node.op if node.op != "call_module" else "module"


def draw_graph(model: Model, module: nn.Module, name: ThemeName) -> Digraph:
    """The traced graph of a built model, in a theme of that name."""
    theme = THEMES[name]
    graph = Digraph(
        model.name,
        graph_attr={
            "bgcolor": theme.paper,
            "fontname": FONT,
            "nodesep": "0.15",
            "ranksep": "0.25",
            "tooltip": escape(model.name),
        },
        node_attr={"shape": "plain", "fontname": FONT, "fontsize": "9"},
        edge_attr={"color": theme.ink, "penwidth": "0.7", "arrowsize": "0.5"},
    )
    modules = dict(module.named_modules())
    nodes = nodes_of(model, module)
    shown = nodes[:MOST_NODES]
    names = {one.name for one in shown}
    _frames(graph, "", shown, modules, theme)
    for one in shown:
        for tail in one.inputs:
            if tail in names:
                graph.edge(tail, one.name)
    if hidden := len(nodes) - len(shown):
        text = Text(f"… and {hidden:,} more nodes", 9, theme.quiet)
        graph.node(".rest", label(table(row(cell(text)))))
    return graph


def _frames(
    graph: Digraph,
    path: str,
    nodes: list[Node],
    modules: dict[str, nn.Module],
    theme: Theme,
) -> None:
    """The nodes of a path in a frame, deeper paths in frames inside."""
    inner: dict[str, list[Node]] = {}
    for one in nodes:
        rest = one.statement[len(path) + 1 :] if path else one.statement
        child = rest.split(".")[0]
        # A module of torch.nn is one node, which its name says; no frame.
        alone = one.kind == "call_module" and "." not in rest
        if one.statement == path or alone or not child:
            _node(graph, one, modules, theme)
        else:
            inner.setdefault(f"{path}.{child}" if path else child, []).append(one)
    for name, within in inner.items():
        last = name.rpartition(".")[2]
        low, _, high = last.partition("-")
        count = f"× {int(high) - int(low) + 1}" if high and low.isdigit() else last
        with graph.subgraph(name=f"cluster_{name}") as cluster:
            title = table(row(cell(Text(count, 9, theme.ink, bold=True))), padding=0)
            cluster.attr(
                label=label(title),
                labeljust="l",
                style="rounded,filled",
                fillcolor=theme.stacked,
                color=theme.line,
                margin="6",
                tooltip=escape(name),
            )
            _frames(cluster, name, within, modules, theme)


def _node(
    graph: Digraph, one: Node, modules: dict[str, nn.Module], theme: Theme
) -> None:
    words = one.calls
    if one.kind == "call_module":
        first = ".".join(part.split("-")[0] for part in one.statement.split("."))
        kind = type(modules[first]).__name__ if first in modules else "module"
        words = f"{one.statement.rpartition('.')[2]}: {kind}"
    fill = theme.shades[1] if one.kind == "call_module" else theme.plain
    text = cell(Text(words, 9, theme.ink))
    markup = table(row(text), border=theme.border, fill=fill, padding=1)
    graph.node(one.name, label(markup), tooltip=escape(f"{one.kind} {one.name}"))
