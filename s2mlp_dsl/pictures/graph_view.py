"""A traced graph as a picture, its nodes framed by the statements they come from.

It draws what graph_trace.py has found, and needs no PyTorch itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from graphviz import Digraph, escape

from s2mlp_dsl.pictures.dot_label import FONT, Text, cell, label, row, table
from s2mlp_dsl.pictures.theme import Theme

MOST_NODES = 400


@dataclass(frozen=True)
class Traced:
    """A node of a torch.fx graph: `words` say what it does.

    `statement` is the path of the statement it comes from, `inputs` are the
    names of the nodes that feed it.
    """

    name: str
    kind: str
    words: str
    statement: str
    inputs: tuple[str, ...]


def draw_graph(name: str, nodes: Sequence[Traced], theme: Theme) -> Digraph:
    """The traced graph of a model of that name."""
    graph = Digraph(
        name,
        graph_attr={
            "bgcolor": theme.paper,
            "fontname": FONT,
            "nodesep": "0.15",
            "ranksep": "0.25",
            "tooltip": escape(name),
        },
        node_attr={"shape": "plain", "fontname": FONT, "fontsize": "9"},
        edge_attr={"color": theme.ink, "penwidth": "0.7", "arrowsize": "0.5"},
    )
    shown = nodes[:MOST_NODES]
    names = {one.name for one in shown}
    _frames(graph, "", shown, theme)
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
    nodes: Sequence[Traced],
    theme: Theme,
) -> None:
    """The nodes of a path in a frame, deeper paths in frames inside."""
    inner: dict[str, list[Traced]] = {}
    for one in nodes:
        rest = one.statement[len(path) + 1 :] if path else one.statement
        child = rest.split(".")[0]
        # A module of torch.nn is one node, which its name says; no frame.
        alone = one.kind == "call_module" and "." not in rest
        if one.statement == path or alone or not child:
            _node(graph, one, theme)
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
            _frames(cluster, name, within, theme)


def _node(graph: Digraph, one: Traced, theme: Theme) -> None:
    fill = theme.shades[1] if one.kind == "call_module" else theme.plain
    text = cell(Text(one.words, 9, theme.ink))
    markup = table(row(text), border=theme.border, fill=fill, padding=1)
    graph.node(one.name, label(markup), tooltip=escape(f"{one.kind} {one.name}"))
