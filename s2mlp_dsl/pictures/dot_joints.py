"""Where arrows part and meet: forks and plus signs, skips, marks, the flow.

Each function draws small nodes into a graph of the `graphviz` package, or says
which edges there are: those are drawn last, into the whole graph.
"""

from collections.abc import Sequence
from itertools import pairwise

from graphviz import Digraph

from s2mlp_dsl.pictures.dot_label import Text, cell, label, row, table
from s2mlp_dsl.pictures.theme import Theme

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
        _corner(level, theme.line, f"{node}.turn")


def skip(theme: Theme, corners: Sequence[str], *, left: bool) -> list[Edge]:
    """Out to one side of a fork, down past `corners`, and back into a plus.

    An edge of dot's own would bulge. Edges within a level run from left to
    right, whatever their arrows say.
    """
    fork, *down, plus = corners
    line = {"color": theme.line, "tooltip": "skip connection"}
    bare = {**line, "arrowhead": "none", "headclip": "false", "tailclip": "false"}
    out, back = f"{fork}.turn", f"{plus}.turn"
    edges = [(a, b, {**bare, "weight": "4"}) for a, b in pairwise([out, *down, back])]
    if left:
        ends = [(out, fork, bare), (back, plus, line | {"tailclip": "false"})]
    else:
        into = {**line, "dir": "back", "headclip": "false"}
        ends = [(fork, out, bare), (plus, back, into)]
    return [ends[0], *edges, ends[1]]


def _corner(graph: Digraph, colour: str, node: str) -> None:
    """Closes the gap that dot leaves where a line ends at a node without size."""
    graph.node(
        node,
        label="",
        shape="box",
        fixedsize="true",
        width="0.011",
        height="0.028",
        style="filled",
        penwidth="0",
        fillcolor=colour,
    )


def bus(graph: Digraph, theme: Theme, node: str, count: int) -> list[str]:
    """A level with a point in the middle, and where each of `count` columns meets it.

    With an odd number of columns the one in the middle meets the point itself.
    """
    half = count // 2
    corners = [f"{node}.{number}" for number in range(count - count % 2)]
    with graph.subgraph() as level:
        level.attr(rank="same")
        level.node(node, shape="point", width="0.04", color=theme.ink)
        for corner in corners:
            _corner(level, theme.ink, corner)
    middle = [node] if count % 2 else []
    return [*corners[:half], *middle, *corners[half:]]


def bus_edges(node: str, columns: Sequence[str]) -> list[Edge]:
    """The line along a level, from the first column over the point to the last."""
    half = len(columns) // 2
    stops = list(dict.fromkeys([*columns[:half], node, *columns[half:]]))
    bare = {"arrowhead": "none", "headclip": "false", "tailclip": "false"}
    return [(left, right, bare) for left, right in pairwise(stops)]


def outside(
    graph: Digraph, theme: Theme, columns: Sequence[str], node: str, *, left: bool
) -> Edge:
    """A corner at the level of columns, on one side of them all."""
    with graph.subgraph() as level:
        level.attr(rank="same")
        level.node(columns[0])
        _corner(level, theme.line, node)
    order = (node, columns[0]) if left else (columns[-1], node)
    return (*order, {"style": "invis"})


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
