"""Where arrows part and meet: forks and plus signs, skips, marks, the flow.

Each function draws small nodes into a graph of the `graphviz` package, or says
which edges there are: those are drawn last, into the whole graph.
"""

from graphviz import Digraph

from s2mlp_dsl.emit.dot_label import Text, cell, label, row, table
from s2mlp_dsl.emit.theme import Theme

SHAPE_SIZE = 9

Edge = tuple[str, str, dict[str, str]]


def fork(graph: Digraph, theme: Theme, node: str) -> None:
    """Where a skip connection leaves."""
    _level(graph, theme, node, shape="point", width="0.04")


def plus(graph: Digraph, theme: Theme, node: str) -> None:
    """Where a skip connection is added."""
    _level(graph, theme, node, label="+", shape="circle", width="0.2")


def _level(graph: Digraph, theme: Theme, node: str, **attributes: str) -> None:
    """A small node, and at its level the corner where its skip turns."""
    with graph.subgraph() as level:
        level.attr(rank="same")
        level.node(
            node,
            fixedsize="true",
            fontsize="12",
            penwidth="0.8",
            color=theme.ink,
            fontcolor=theme.ink,
            **attributes,
        )
        level.node(f"{node}.turn", shape="point", width="0.01", style="invis")


def skip(theme: Theme, fork: str, plus: str, *, left: bool) -> list[Edge]:
    """Out to one side, down and back: an edge of dot's own would bulge.

    Edges within a level run from left to right, whatever their arrows say.
    """
    out, back = f"{fork}.turn", f"{plus}.turn"
    line = {"color": theme.line, "tooltip": "skip connection"}
    bare = {**line, "arrowhead": "none", "headclip": "false", "tailclip": "false"}
    down = (out, back, {**bare, "weight": "4"})
    if left:
        return [(out, fork, bare), down, (back, plus, line | {"tailclip": "false"})]
    into = {**line, "dir": "back", "headclip": "false"}
    return [(fork, out, bare), down, (plus, back, into)]


def end(graph: Digraph, node: str) -> None:
    """Where the result leaves the picture, or what enters comes from."""
    graph.node(node, shape="point", width="0.01", style="invis")


def mark(graph: Digraph, theme: Theme, node: str, sign: str) -> None:
    """Where a column ends or the next one begins: equal signs are one place."""
    graph.node(
        node,
        label=sign,
        shape="circle",
        fixedsize="true",
        width="0.26",
        fontsize="10",
        penwidth="0.8",
        color=theme.line,
        fontcolor=theme.ink,
        tooltip=f"goes on at {sign}",
    )


def flow(
    theme: Theme, tail: str, head: str, shape: str, *, said: bool, arrow: bool = True
) -> Edge:
    """The edge along which a map flows; its shape is written where `said`."""
    attributes = {"tooltip": shape, "weight": "8"}
    if not arrow:
        attributes["arrowhead"] = "none"
    if said:
        text = cell(Text(shape, SHAPE_SIZE, theme.quiet))
        attributes["label"] = label(table(row(cell(least=4), text), padding=0))
    return (f"{tail}:s", f"{head}:n", attributes)
