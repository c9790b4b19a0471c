"""What is being drawn on: boxes and frames with their figures, edges between."""

from collections.abc import Sequence
from dataclasses import dataclass

from graphviz import Digraph

from s2mlp_dsl.emit import dot_joints as joints
from s2mlp_dsl.emit.dot_parts import Pen
from s2mlp_dsl.emit.figures import Costs
from s2mlp_dsl.ir.shape import Shape

# Shares of the model's MACs from which a box is one shade darker.
SHADES = (0.01, 0.05, 0.2)
# About the points that boxes, their further lines, sums and frames take.
BOX_HEIGHT, BELOW_HEIGHT, LINE_HEIGHT, SUM_HEIGHT, FRAME_HEIGHT = 36, 12, 28, 48, 42


@dataclass(frozen=True)
class Flow:
    """What leaves a drawn statement: the node that it leaves, and its shape."""

    node: str
    shape: Shape


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
        self.height = 0
        self._said: Shape | None = None

    def frame(self, cluster: Digraph, title: str, path: str, times: int) -> None:
        """The border of a cluster, with the figures of one use."""
        self.height += FRAME_HEIGHT
        tooltip = f"{path}: {self.costs.exact([path], times)}"
        self.pen.frame(cluster, title, self.costs.brief([path], times), tooltip)

    def box(
        self,
        graph: Digraph,
        path: str,
        name: str,
        times: int,
        *,
        note: str = "",
        below: str = "",
        more: Sequence[str] = (),
        of: Sequence[str] = (),
    ) -> None:
        """A box with what one use costs; without cost, `note` in its place.

        `below` is a line under the name, `more` are rows of a table; the
        figures are those `of` other paths where these are given.
        """
        self.boxes += 1
        self.names.append(name)
        self.height += BOX_HEIGHT + LINE_HEIGHT * len(more)
        self.height += BELOW_HEIGHT if below else 0
        figures = self.costs.brief(of or [path], times)
        tooltip = f"{path}: {self.costs.exact(of or [path], times)}"
        fill = self._shade(self.costs.share(of or [path]))
        self.pen.box(
            graph,
            path,
            name,
            figures or note,
            tooltip,
            fill=fill,
            below=below,
            more=more,
        )

    def _shade(self, share: float | None) -> str:
        """The fill of a box by its share of the model's MACs."""
        if share is None:
            return self.pen.theme.plain
        return self.pen.theme.shades[sum(share >= least for least in SHADES)]

    def fork(self, graph: Digraph, flow: Flow, node: str) -> Flow:
        """The place where a skip connection leaves."""
        joints.fork(graph, self.pen.theme, node)
        return self.enter(flow, node, flow.shape, arrow=False)

    def plus(self, graph: Digraph, flow: Flow, fork: str, *, left: bool) -> Flow:
        """The sum of what flows and what left at a fork."""
        self.height += SUM_HEIGHT
        node = fork.removesuffix(".in")
        joints.plus(graph, self.pen.theme, node)
        self.edges += joints.skip(self.pen.theme, fork, node, left=left)
        return self.enter(flow, node, flow.shape)

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
            theme, shape = self.pen.theme, str(flow.shape)
            edge = joints.flow(theme, flow.node, node, shape, said=said, arrow=arrow)
            self.edges.append(edge)
        return Flow(node, result)

    def finish(self, graph: Digraph) -> None:
        """Draw all the edges."""
        for tail, head, attributes in self.edges:
            graph.edge(tail, head, **attributes)
