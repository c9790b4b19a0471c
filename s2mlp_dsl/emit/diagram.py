"""A model as a picture: IR and figures to a graph of the `graphviz` package.

The view is the one of figure 1: what happens to an image from top to bottom,
what is repeated in a frame with its ×N, its inside drawn once. Figures inside
a frame are for one of the N. An edge says its shape where the shape changes.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from graphviz import Digraph

from s2mlp_dsl.analysis.analyze import Analysis
from s2mlp_dsl.emit.dot_parts import Edge, Pen
from s2mlp_dsl.emit.dot_shift import shift_rows
from s2mlp_dsl.emit.figures import Costs, totals
from s2mlp_dsl.emit.theme import LIGHT, Theme
from s2mlp_dsl.ir.print import print_op
from s2mlp_dsl.ir.program import (
    Call,
    Model,
    Op,
    Residual,
    Run,
    Shift,
    Stack,
    Statement,
    result_of,
)
from s2mlp_dsl.ir.shape import Shape
from s2mlp_dsl.ir.walk import ops_in
from s2mlp_dsl.ops import SIGNATURES

# With so many boxes drawn, further blocks stay closed, and with so many what
# follows becomes one box: a stack may have thousands of distinct blocks.
MOST_OPEN = 48
MOST_BOXES = 72
# Shares of the model's MACs from which a box is one shade darker.
SHADES = (0.01, 0.05, 0.2)


def draw_model(model: Model, analysis: Analysis, theme: Theme = LIGHT) -> Digraph:
    """The graph of an expanded model, given its figures."""
    pen = Pen(theme, [_written(op) for op in ops_in(model)])
    graph = pen.canvas(model.name, model.doc or "", totals(analysis))
    drawing = _Drawing(model, Costs(analysis), pen)
    drawing.whole(graph)
    for tail, head, attributes in drawing.edges:
        graph.edge(tail, head, **attributes)
    return graph


def draw_block(
    model: Model, analysis: Analysis, name: str, theme: Theme = LIGHT
) -> Digraph:
    """The inside of one block, with the figures of one use of it."""
    block = model.definitions[name]
    found = uses_of(model)[name]
    ends = f"{block.source} in, {block.result} out; {found.count:,} of it in the model"
    costs = Costs(analysis)
    brief = [f"{costs.brief([found.path], found.times)} each"]
    pen = Pen(theme, [_written(op) for op in ops_in(model)])
    graph = pen.canvas(block.name, block.doc or "", [ends, *brief])
    drawing = _Drawing(model, costs, pen)
    # No path begins with a dot.
    pen.end(graph, ".source")
    place = _Place(f"{found.path}.", found.times)
    flow = drawing.body(graph, block.body, place, _Flow(".source", block.source))
    drawing.leave(graph, flow)
    for tail, head, attributes in drawing.edges:
        graph.edge(tail, head, **attributes)
    return graph


@dataclass(frozen=True)
class Use:
    """Where a definition is first used, how often there and in the whole model."""

    path: str
    times: int
    count: int


def uses_of(model: Model) -> dict[str, Use]:
    """Every definition that is used, in the order of its first use."""
    found: dict[str, Use] = {}

    def walk(body: Sequence[Statement], prefix: str, times: int) -> None:
        for statement in body:
            for path, run in _runs_in(statement, prefix):
                count = times * run.count
                known = found.get(run.block)
                found[run.block] = (
                    Use(known.path, known.times, known.count + count)
                    if known
                    else Use(path, count, count)
                )
                walk(model.definitions[run.block].body, f"{path}.", count)
            if isinstance(statement, Residual):
                walk(statement.body, prefix, times)

    walk(model.body, "", 1)
    return found


def _runs_in(statement: Statement, prefix: str) -> list[tuple[str, Run]]:
    match statement:
        case Call():
            return [(prefix + statement.name, Run(count=1, block=statement.block))]
        case Stack():
            return _indexed(prefix + statement.name, statement.runs)
        case _:
            return []


def describe(model: Model, analysis: Analysis) -> str:
    """The picture in words: what the model is, its ends and its totals."""
    doc = " ".join((model.doc or "").split())
    ends = f"From an image of {model.input.result} to {model.result}."
    return " ".join([doc, ends, "; ".join(totals(analysis))]).strip()


@dataclass(frozen=True)
class _Place:
    """Where statements stand: the prefix of their paths, how often they run."""

    prefix: str
    times: int


@dataclass(frozen=True)
class _Flow:
    """What leaves a drawn statement: the node that it leaves, and its shape."""

    node: str
    shape: Shape


class _Drawing:
    """Draws statements into clusters; edges are kept for the whole graph."""

    def __init__(self, model: Model, costs: Costs, pen: Pen) -> None:
        self.model, self.costs, self.pen = model, costs, pen
        self.edges: list[Edge] = []
        self.boxes = self.depth = 0
        self.opened: set[str] = set()
        self.sums: Counter[str] = Counter()
        self.said: Shape | None = None

    def whole(self, graph: Digraph) -> None:
        """Draw the model, with an arrow for what leaves it."""
        self.leave(graph, self.body(graph, self.model.body, _Place("", 1), None))

    def leave(self, graph: Digraph, flow: _Flow) -> None:
        """An arrow out of the picture, for what a body computes."""
        self.pen.end(graph, ".result")
        self._enter(flow, ".result", flow.shape)

    def body(
        self,
        graph: Digraph,
        body: Sequence[Statement],
        place: _Place,
        flow: _Flow | None,
    ) -> _Flow:
        """Draw statements one below the other; what leaves the last of them."""
        for number, statement in enumerate(body):
            rest = body[number:]
            if self.boxes >= MOST_BOXES and len(rest) > 1:
                paths = [place.prefix + name for one in rest for name in _names(one)]
                path, name = f"{place.prefix}…", f"… {len(rest):,} more statements"
                self._box(graph, path, name, place.times, of=paths)
                return self._enter(flow, path, result_of(self.model, rest[-1]))
            match statement:
                case Op():
                    flow = self._op(graph, statement, place, flow)
                case Residual():
                    flow = self._residual(graph, statement, place, flow)
                case Call():
                    run = Run(count=1, block=statement.block)
                    path = place.prefix + statement.name
                    name = _labelled(statement)
                    flow = self._run(graph, run, path, place.times, flow, name)
                case Stack():
                    flow = self._stack(graph, statement, place, flow)
        assert flow is not None
        return flow

    def _op(self, graph: Digraph, op: Op, place: _Place, flow: _Flow | None) -> _Flow:
        shifts = [value for _, value in op.args if isinstance(value, Shift)]
        note = ", ".join(map(_rule, shifts))
        more = [line for one in shifts for line in shift_rows(one, self.pen.theme)]
        path = place.prefix + op.name
        self._box(graph, path, _written(op), place.times, note=note, more=more)
        return self._enter(flow, path, op.result)

    def _residual(
        self, graph: Digraph, residual: Residual, place: _Place, flow: _Flow | None
    ) -> _Flow:
        assert flow is not None
        self.sums[place.prefix] += 1
        # No name of a statement has a plus in it.
        plus = f"{place.prefix}+{self.sums[place.prefix]}"
        fork = f"{plus}.in"
        self.pen.fork(graph, fork)
        inside = self._enter(flow, fork, flow.shape, arrow=False)
        self.depth += 1
        inside = self.body(graph, residual.body, place, inside)
        self.depth -= 1
        self.pen.plus(graph, plus)
        # A residual in a residual skips on the other side.
        self.edges += self.pen.skip(fork, plus, left=self.depth % 2 == 1)
        return self._enter(inside, plus, inside.shape)

    def _stack(
        self, graph: Digraph, stack: Stack, place: _Place, flow: _Flow | None
    ) -> _Flow:
        path, name = place.prefix + stack.name, _labelled(stack)
        runs = _indexed(path, stack.runs)
        if len(runs) == 1:
            inner, run = runs[0]
            return self._run(graph, run, inner, place.times, flow, name)
        count = sum(run.count for run in stack.runs)
        with graph.subgraph(name=f"cluster_{path}") as cluster:
            self._frame(cluster, f"{name}× {count}", path, place.times)
            for number, (inner, run) in enumerate(runs):
                rest = runs[number:]
                if self.boxes >= MOST_BOXES and len(rest) > 1:
                    paths = [one for one, _ in rest]
                    more = f"… × {sum(one.count for _, one in rest):,} more"
                    self._box(cluster, f"{path}.…", more, place.times, of=paths)
                    return self._enter(flow, f"{path}.…", result_of(self.model, stack))
                flow = self._run(cluster, run, inner, place.times, flow, "")
        assert flow is not None
        return flow

    def _run(
        self,
        graph: Digraph,
        run: Run,
        path: str,
        times: int,
        flow: _Flow | None,
        name: str,
    ) -> _Flow:
        """A block, `count` times in a row: opened the first time, then closed."""
        block = self.model.definitions[run.block]
        count = f"× {run.count}" if run.count > 1 or block.inline else ""
        known = "" if block.inline else block.name
        title = name + "  ".join(filter(None, [count, known]))
        seen = run.block in self.opened
        if seen or self.boxes >= MOST_OPEN:
            again = f"{title} as above" if seen else title
            self._box(graph, path, again, times)
            return self._enter(flow, path, block.result)
        self.opened.add(run.block)
        with graph.subgraph(name=f"cluster_{path}") as cluster:
            self._frame(cluster, title, path, times)
            inside = _Place(f"{path}.", times * run.count)
            return self.body(cluster, block.body, inside, flow)

    def _frame(self, cluster: Digraph, title: str, path: str, times: int) -> None:
        tooltip = f"{path}: {self.costs.exact([path], times)}"
        self.pen.frame(cluster, title, self.costs.brief([path], times), tooltip)

    def _box(
        self,
        graph: Digraph,
        path: str,
        name: str,
        times: int,
        *,
        note: str = "",
        more: Sequence[str] = (),
        of: Sequence[str] = (),
    ) -> None:
        """A box with what one use costs; without cost, `note` in its place."""
        self.boxes += 1
        figures = self.costs.brief(of or [path], times)
        tooltip = f"{path}: {self.costs.exact(of or [path], times)}"
        fill = self._shade(self.costs.share(of or [path]))
        self.pen.box(graph, path, name, figures or note, tooltip, fill=fill, more=more)

    def _shade(self, share: float | None) -> str:
        """The fill of a box by its share of the model's MACs."""
        if share is None:
            return self.pen.theme.plain
        return self.pen.theme.shades[sum(share >= least for least in SHADES)]

    def _enter(
        self, flow: _Flow | None, node: str, result: Shape, *, arrow: bool = True
    ) -> _Flow:
        """The edge into a node, and what will leave it."""
        if flow is not None:
            said, self.said = flow.shape != self.said, flow.shape
            shape = str(flow.shape)
            edge = self.pen.flow(flow.node, node, shape, said=said, arrow=arrow)
            self.edges.append(edge)
        return _Flow(node, result)


def _written(op: Op) -> str:
    """The statement as a spec writes it: `head: linear(1000)`."""
    return _labelled(op) + print_op(op, SIGNATURES[op.operator])


def _rule(shift: Shift) -> str:
    interleaved = ", interleaved" if shift.interleaved else ""
    return f"edge {shift.edge}{interleaved}"


def _labelled(statement: Op | Call | Stack) -> str:
    return f"{statement.label}: " if statement.label else ""


def _names(statement: Statement) -> list[str]:
    """Names of the modules of a statement: residuals have none of their own."""
    if isinstance(statement, Residual):
        return [name for one in statement.body for name in _names(one)]
    return [statement.name]


def _indexed(path: str, runs: Sequence[Run]) -> list[tuple[str, Run]]:
    """Each run with its path: `stack.0-35`, or `stack.7` for one iteration."""
    found, first = [], 0
    for run in runs:
        last = first + run.count - 1
        index = str(first) if first == last else f"{first}-{last}"
        found.append((f"{path}.{index}", run))
        first = last + 1
    return found
