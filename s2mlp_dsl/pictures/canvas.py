"""What a model is drawn on: boxes and frames with their figures, edges between them.

Edges are collected and drawn last, into the whole graph: dot keeps a node in the
cluster that mentions it first.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

from graphviz import Digraph

from s2mlp_dsl.ir.shape import Shape
from s2mlp_dsl.pictures.boxes import BoxStyle
from s2mlp_dsl.pictures.figures import Costs
from s2mlp_dsl.pictures.labels import (
    Text,
    add_node,
    attributes,
    cell,
    label,
    row,
    table,
)

# About the points that boxes, their further lines, sums and frames take.
BOX_HEIGHT, BELOW_HEIGHT, LINE_HEIGHT, SUM_HEIGHT, FRAME_HEIGHT = 36, 12, 28, 48, 42
SHAPE_SIZE = 9

Edge = tuple[str, str, dict[str, str]]
# Of a line that is drawn in pieces: no gap where they meet.
_BARE = attributes("arrowhead=none headclip=false tailclip=false")
_JOINT = attributes("fixedsize=true fontsize=12 penwidth=0.8")
_MARK = attributes("shape=circle fixedsize=true width=0.26 fontsize=10 penwidth=0.8")
# Closes the gap where lines meet: dot ends them short of a point.
_CORNER = attributes(
    "shape=box fixedsize=true width=0.011 height=0.028 style=filled penwidth=0"
)


@dataclass(frozen=True)
class Flow:
    """The node that was drawn last, and the shape of its result."""

    node: str
    shape: Shape


@dataclass
class Skip:
    """A skip connection being drawn: its side, and the nodes that it runs through."""

    left: bool
    nodes: list[str]


@dataclass
class Branches:
    """Branches being drawn side by side, from `top` points down to `bottom`.

    `source` is the shape that enters them all; `skips` pass on the outside.
    """

    top: int
    bottom: int
    source: Shape
    skips: list[Skip]


class Canvas:
    """Draws into `graph`, each thing below `flow`, the last one.

    `height` is about how many points have been drawn, `boxes` how many boxes, and
    `names` is what has been written into them.
    """

    def __init__(self, graph: Digraph, costs: Costs, style: BoxStyle) -> None:
        self.graph, self.costs, self.style = graph, costs, style
        self.theme = style.theme
        self.flow: Flow | None = None
        self.height = self.boxes = 0
        self.names: list[str] = []
        self._edges: list[Edge] = []
        self._stated: Shape | None = None  # written beside an edge, and valid since
        self._regions = 0  # around what is being drawn
        self._branches: list[Branches] = []  # around what is being drawn
        self._tops: set[str] = set()  # the nodes where branches start
        self._skips: list[Skip] = []  # inside the innermost branch

    @property
    def shape(self) -> Shape:
        """The shape that enters what is drawn next."""
        assert self.flow is not None
        return self.flow.shape

    # boxes and frames

    def box(
        self,
        path: str,
        name: str,
        times: int,
        result: Shape,
        *,
        note: str = "",
        below: str = "",
        more: Sequence[str] = (),
        of: Sequence[str] = (),
        reshapes: bool = False,
    ) -> None:
        """A box with the cost of one of `times` uses; if that is nothing, with `note`.

        `below` is a line under the name, `more` are rows of a table. The figures are
        those `of` other paths if these are given. A box that `reshapes` states its
        result where there is no room for that beside an edge.
        """
        if reshapes and self._is_crowded:
            below = str(result)
        self.boxes += 1
        self.names.append(name)
        self.height += BOX_HEIGHT + LINE_HEIGHT * len(more)
        self.height += BELOW_HEIGHT if below else 0
        paths = of or [path]
        markup = self.style.box(
            name,
            self.costs.brief(paths, times) or note,
            below,
            more,
            fill=self.theme.shade(self.costs.share(paths)),
            narrow=bool(self._branches),
        )
        tooltip = f"{path}: {self.costs.exact(paths, times)}"
        add_node(self.graph, path, markup, tooltip)
        self.connect(path, result)

    def small_box(self, path: str, result: Shape) -> None:
        """A step that only moves values: it states the shape of its result."""
        self.boxes += 1
        self.height += BOX_HEIGHT
        markup = self.style.small_box(str(result))
        add_node(self.graph, path, markup, f"{path}: 0 params, 0 MACs")
        self.connect(path, result)
        self._stated = result

    @contextmanager
    def frame(self, path: str, title: str, times: int) -> Iterator[None]:
        """A frame around what is drawn inside, with the figures of one use."""
        tooltip = f"{path}: {self.costs.exact([path], times)}"
        with self._cluster(path):
            self._title(title, self.costs.brief([path], times), tooltip)
            yield

    @contextmanager
    def region(self, path: str, title: str, arguments: str) -> Iterator[None]:
        """A frame around a body that works on other axes or sides."""
        with self._cluster(f"{path}.region"):
            self._title(title, arguments, f"{title} {arguments}")
            self._regions += 1
            yield
            self._regions -= 1

    def _title(self, title: str, figures: str, tooltip: str) -> None:
        self.height += FRAME_HEIGHT
        narrow = bool(self._branches)
        self.style.frame(self.graph, title, figures, tooltip, narrow=narrow)

    @contextmanager
    def _cluster(self, name: str) -> Iterator[None]:
        outer = self.graph
        with outer.subgraph(name=f"cluster_{name}") as self.graph:
            yield
        self.graph = outer

    @property
    def _is_crowded(self) -> bool:
        """Whether frames are so close that there is no room beside edges."""
        return bool(self._branches) or self._regions > 0

    # skip connections

    def fork(self, node: str, *, left: bool) -> None:
        """The point where a skip connection starts, on one side."""
        self._joint(node, shape="point", width="0.04")
        self._skips.append(Skip(left, [node]))
        self.connect(node, self.shape, arrow=False)

    def add(self, node: str) -> None:
        """The sum of the flow and the skip connection that started last."""
        self.height += SUM_HEIGHT
        self._joint(node, label="+", shape="circle", width="0.2")
        self._edges += self._skip_edges(self._skips.pop(), node)
        self.connect(node, self.shape)

    def _joint(self, node: str, **more: str) -> None:
        """A small node, and on its level the corner where its skip turns."""
        ink = self.theme.ink
        with self._level() as level:
            level.node(node, color=ink, fontcolor=ink, **_JOINT, **more)
            _corner(level, self.theme.line, f"{node}.turn")

    def _skip_edges(self, skip: Skip, plus: str) -> list[Edge]:
        """Out to one side of a fork, down past other nodes, and back into a plus.

        A single edge would bulge. On a level, dot runs edges from left to right,
        whatever their arrows say.
        """
        fork, *passed = skip.nodes
        line = {"color": self.theme.line, "tooltip": "skip connection"}
        bare = {**line, **_BARE}
        out, back = f"{fork}.turn", f"{plus}.turn"
        heavy = {**bare, "weight": "4"}
        down = [(a, b, heavy) for a, b in pairwise([out, *passed, back])]
        if skip.left:
            end = {**line, "tailclip": "false"}
            return [(out, fork, bare), *down, (back, plus, end)]
        end = {**line, "dir": "back", "headclip": "false"}
        return [(fork, out, bare), *down, (plus, back, end)]

    # branches

    def split(self, node: str, inputs: Sequence[Shape]) -> list[Flow]:
        """The starts of branches side by side, given the shape that enters each."""
        source = self.shape
        self.connect(node, source, arrow=False)
        columns = self._bus(node, len(inputs))
        around = Branches(self.height, self.height, source, self._skips)
        self._branches.append(around)
        self._tops.update(columns)
        self._skips = []
        return [Flow(at, shape) for at, shape in zip(columns, inputs, strict=True)]

    @contextmanager
    def branch(self, name: str, start: Flow) -> Iterator[None]:
        """One of the branches of the last split."""
        around = self._branches[-1]
        self.height, self.flow, self._stated = around.top, start, around.source
        # An invisible frame keeps what is in a branch together.
        with self._cluster(name):
            self.graph.attr(peripheries="0", margin="6", label="", tooltip=" ")
            yield
        around.bottom = max(around.bottom, self.height)

    def join(self, node: str, ends: Sequence[Flow]) -> None:
        """The branches of the last split meet, at their `ends`."""
        around = self._branches.pop()
        self.height, self._skips = around.bottom, around.skips
        for end, column in zip(ends, self._bus(node, len(ends)), strict=True):
            self.flow, self._stated = end, end.shape
            self.connect(column, end.shape, arrow=False)
        self.flow = Flow(node, around.source)
        self._stated = around.source

    def _bus(self, node: str, count: int) -> list[str]:
        """A horizontal line over `count` columns, and where each column meets it.

        In the middle is a point, where the middle one of an odd number meets it. Skips
        that pass stay outside of the columns.
        """
        self.height += SUM_HEIGHT // 2
        corners = [f"{node}.{number}" for number in range(count - count % 2)]
        with self._level() as level:
            level.node(node, shape="point", width="0.04", color=self.theme.ink)
            for corner in corners:
                _corner(level, self.theme.ink, corner)
        half = count // 2
        left, right = corners[:half], corners[half:]
        self._edges += [(a, b, _BARE) for a, b in pairwise([*left, node, *right])]
        columns = [*left, *([node] if count % 2 else []), *right]
        self._pass_by(node, list(columns))
        return columns

    def _pass_by(self, node: str, columns: list[str]) -> None:
        """Lead the open skips around the columns of a bus, on the outside."""
        for number, skip in reversed(list(enumerate(self._skips))):
            corner = f"{node}.skip{number}"
            with self._level() as level:
                level.node(columns[0])
                _corner(level, self.theme.line, corner)
            columns.insert(0 if skip.left else len(columns), corner)
            tail, head = columns[:2] if skip.left else columns[-2:]
            self._edges.append((tail, head, {"style": "invis"}))
            skip.nodes.append(corner)

    # the flow

    def start(self, shape: Shape) -> None:
        """An arrow into the picture, with this shape."""
        self._end(".source")
        self.flow = Flow(".source", shape)

    def finish(self) -> None:
        """An arrow out of the picture, and all the edges."""
        self._end(".result")
        self.connect(".result", self.shape)
        for tail, head, style in self._edges:
            self.graph.edge(tail, head, **style)

    def continue_beside(self, sign: str) -> None:
        """Go on at the top of a new column: equal signs mark the same place."""
        shape = self.shape
        for node in (f".out{sign}", f".in{sign}"):
            style = {"color": self.theme.line, "fontcolor": self.theme.ink, **_MARK}
            self.graph.node(node, sign, tooltip=f"continues at {sign}", **style)
        self.connect(f".out{sign}", shape)
        self.flow, self._stated = Flow(f".in{sign}", shape), None

    def connect(self, node: str, result: Shape, *, arrow: bool = True) -> None:
        """An edge from the last node to this one, whose result has that shape.

        A shape is written beside an edge where it changes.
        """
        if self.flow is not None:
            shape, text = self.flow.shape, str(self.flow.shape)
            is_new, self._stated = shape != self._stated, shape
            style = {"tooltip": text, "weight": "8"}
            if not arrow:
                style["arrowhead"] = "none"
            if is_new and (not self._is_crowded or self.flow.node in self._tops):
                written = cell(Text(text, SHAPE_SIZE, self.theme.quiet))
                style["label"] = label(table(row(cell(least=4), written), padding=0))
            self._edges.append((f"{self.flow.node}:s", f"{node}:n", style))
        self.flow = Flow(node, result)

    def _end(self, node: str) -> None:
        self.graph.node(node, shape="point", width="0.01", style="invis")

    @contextmanager
    def _level(self) -> Iterator[Digraph]:
        """Nodes on one level."""
        with self.graph.subgraph() as level:
            level.attr(rank="same")
            yield level


def _corner(graph: Digraph, colour: str, node: str) -> None:
    graph.node(node, "", fillcolor=colour, **_CORNER)
