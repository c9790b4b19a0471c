"""What is being drawn on: boxes and frames with their figures, edges between."""

from collections.abc import Sequence

from graphviz import Digraph

from s2mlp_dsl.ir.shape import Shape
from s2mlp_dsl.pictures import dot_joints as joints
from s2mlp_dsl.pictures.dot_parts import Pen
from s2mlp_dsl.pictures.figures import Costs
from s2mlp_dsl.pictures.place import Flow, Parted, Skip

# About the points that boxes, their further lines, sums and frames take.
BOX_HEIGHT, BELOW_HEIGHT, LINE_HEIGHT, SUM_HEIGHT, FRAME_HEIGHT = 36, 12, 28, 48, 42


class Sheet:
    """Keeps count of what is drawn; edges are kept for the whole graph.

    `height` is how many points have been drawn, about; `names` is what has
    been written into boxes.
    """

    def __init__(self, costs: Costs, pen: Pen) -> None:
        self.costs, self.pen = costs, pen
        self.edges: list[joints.Edge] = []
        self.names: list[str] = []
        self.boxes = 0
        self._parted: list[Parted] = []  # around what is drawn: boxes are narrow
        self.height = 0
        self._said: Shape | None = None
        self._regions = 0
        self._tops: set[str] = set()  # of columns
        # Skips that are on their way: at which side, and the places they pass.
        self._skips: list[Skip] = []

    def frame(self, cluster: Digraph, title: str, path: str, times: int) -> None:
        """The border of a cluster, with the figures of one use."""
        self.height += FRAME_HEIGHT
        tooltip = f"{path}: {self.costs.exact([path], times)}"
        self._frame(cluster, title, self.costs.brief([path], times), tooltip)

    def region(self, cluster: Digraph, title: str, said: str) -> None:
        """The border around a body that works on other axes or sides."""
        self.height += FRAME_HEIGHT
        self._regions += 1
        self._frame(cluster, title, said, f"{title} {said}")

    def leave(self) -> None:
        """The last scope that was begun is at its end."""
        self._regions -= 1

    @property
    def _crowded(self) -> bool:
        return bool(self._parted) or self._regions > 0

    def _frame(self, cluster: Digraph, title: str, said: str, tooltip: str) -> None:
        narrow = bool(self._parted)
        self.pen.frame(cluster, title, said, tooltip, narrow=narrow)

    def pill(self, graph: Digraph, flow: Flow, path: str, result: Shape) -> Flow:
        """A step that only moves things about: it says the shape that it makes."""
        self.boxes += 1
        self.height += BOX_HEIGHT
        self.pen.pill(graph, path, str(result), f"{path}: 0 params, 0 MACs")
        self.enter(flow, path, result)
        self._said = result
        return Flow(path, result)

    def box(
        self,
        graph: Digraph,
        path: str,
        name: str,
        times: int,
        *,
        note: str = "",
        below: str = "",
        gives: Shape | None = None,
        more: Sequence[str] = (),
        of: Sequence[str] = (),
    ) -> None:
        """A box with what one use costs; without cost, `note` in its place.

        `below` is a line under the name, `more` are rows of a table; the
        figures are those `of` other paths where these are given. In a branch the
        box says what shape it `gives`.
        """
        if gives is not None and self._crowded:
            below = str(gives)
        self.boxes += 1
        self.names.append(name)
        self.height += BOX_HEIGHT + LINE_HEIGHT * len(more)
        self.height += BELOW_HEIGHT if below else 0
        figures = self.costs.brief(of or [path], times)
        tooltip = f"{path}: {self.costs.exact(of or [path], times)}"
        fill = self.pen.theme.shade(self.costs.share(of or [path]))
        self.pen.box(
            graph,
            path,
            name,
            figures or note,
            tooltip,
            fill=fill,
            below=below,
            more=more,
            narrow=bool(self._parted),
        )

    def fork(self, graph: Digraph, flow: Flow, node: str, *, left: bool) -> Flow:
        """The place where a skip connection leaves."""
        joints.fork(graph, self.pen.theme, node)
        self._skips.append((left, [node]))
        return self.enter(flow, node, flow.shape, arrow=False)

    def plus(self, graph: Digraph, flow: Flow, node: str) -> Flow:
        """The sum of what flows and what left at the last fork."""
        self.height += SUM_HEIGHT
        joints.plus(graph, self.pen.theme, node)
        left, corners = self._skips.pop()
        self.edges += joints.skip(self.pen.theme, [*corners, node], left=left)
        return self.enter(flow, node, flow.shape)

    def part(
        self, graph: Digraph, flow: Flow, node: str, fed: Sequence[Shape]
    ) -> list[Flow]:
        """Columns side by side, each with what is `fed` to it."""
        self.enter(flow, node, flow.shape, arrow=False)
        columns = self._bus(graph, node, len(fed))
        self._parted.append(Parted(self.height, self.height, self._skips))
        self._tops.update(columns)
        self._skips = []
        return [Flow(at, shape) for at, shape in zip(columns, fed, strict=True)]

    def column(self, shape: Shape) -> None:
        """One of the columns begins, where only this shape has been said."""
        parted = self._parted[-1]
        parted.tallest = max(parted.tallest, self.height)
        self.height, self._said = parted.start, shape

    def join(
        self, graph: Digraph, flows: Sequence[Flow], node: str, shape: Shape
    ) -> Flow:
        """Where columns meet again; `shape` is what had been said before them."""
        parted = self._parted.pop()
        self.height = max(parted.tallest, self.height)
        self._skips = parted.skips
        columns = self._bus(graph, node, len(flows))
        for flow, at in zip(flows, columns, strict=True):
            self._said = flow.shape
            self.enter(flow, at, flow.shape, arrow=False)
        self._said = shape
        return Flow(node, shape)

    def _bus(self, graph: Digraph, node: str, count: int) -> list[str]:
        """A level of columns; skips that pass it stay outside of them."""
        self.height += SUM_HEIGHT // 2
        theme = self.pen.theme
        columns = joints.bus(graph, theme, node, count)
        self.edges += joints.bus_edges(node, columns)
        reached = list(columns)
        for number, (left, corners) in reversed(list(enumerate(self._skips))):
            corner = f"{node}.skip{number}"
            self.edges.append(joints.outside(graph, theme, reached, corner, left=left))
            reached.insert(0 if left else len(reached), corner)
            corners.append(corner)
        return columns

    def end(self, graph: Digraph, flow: Flow) -> None:
        """An arrow out of the picture."""
        joints.end(graph, ".result")
        self.enter(flow, ".result", flow.shape)

    def beside(self, graph: Digraph, flow: Flow, sign: str) -> Flow:
        """The flow at the top of a new column: equal signs are one place."""
        out, into = f".out{sign}", f".in{sign}"
        joints.mark(graph, self.pen.theme, out, sign)
        self.enter(flow, out, flow.shape)
        joints.mark(graph, self.pen.theme, into, sign)
        self._said = None
        return Flow(into, flow.shape)

    def enter(
        self, flow: Flow | None, node: str, result: Shape, *, arrow: bool = True
    ) -> Flow:
        """The edge into a node, and what will leave it."""
        if flow is not None:
            said, self._said = flow.shape != self._said, flow.shape
            # Where frames are close there is no room for words beside an edge.
            said = said and (not self._crowded or flow.node in self._tops)
            theme, shape = self.pen.theme, str(flow.shape)
            edge = joints.flow(theme, flow.node, node, shape, said=said, arrow=arrow)
            self.edges.append(edge)
        return Flow(node, result)

    def finish(self, graph: Digraph) -> None:
        """Draw all the edges."""
        for tail, head, attributes in self.edges:
            graph.edge(tail, head, **attributes)
