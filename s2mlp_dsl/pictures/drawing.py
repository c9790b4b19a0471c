"""Statements drawn into frames, one below the other.

Everything that a statement can be is told apart here, and nowhere else in a
picture of a model.
"""

from collections import Counter
from collections.abc import Sequence
from typing import assert_never

from graphviz import Digraph

from s2mlp_dsl.ir.program import (
    Invocation,
    Model,
    Op,
    Parallel,
    Region,
    Residual,
    Run,
    Shift,
    Statement,
)
from s2mlp_dsl.pictures.dot_shift import shift_rows
from s2mlp_dsl.pictures.nests import Draw, draw_parallel, draw_region, draw_residual
from s2mlp_dsl.pictures.place import Flow, Place
from s2mlp_dsl.pictures.sheet import Sheet
from s2mlp_dsl.pictures.uses import Kinds
from s2mlp_dsl.pictures.words import alike, edge_rule, labelled, names_in, written

# With so many boxes drawn, further blocks stay closed, and with so many what
# follows becomes one box: a stack may have thousands of distinct blocks.
MOST_OPEN = 48
MOST_BOXES = 160


class Drawing:
    """Draws statements onto a sheet, blocks into clusters.

    Beyond each `column` points of height, about, the statements of the
    outermost body go on beside the others.
    """

    def __init__(self, model: Model, sheet: Sheet, column: float | None = None) -> None:
        self.model, self.sheet, self.column = model, sheet, column
        self.columns = self.depth = 0
        self.kinds = Kinds(model)
        self.opened: dict[object, str] = {}
        self.sums: Counter[str] = Counter()

    def whole(
        self,
        graph: Digraph,
        body: Sequence[Statement],
        place: Place,
        flow: Flow | None,
    ) -> None:
        """Draw a body with an arrow for what leaves it, and all the edges."""
        self.sheet.end(graph, self._body(graph, body, place, flow, outermost=True))
        self.sheet.finish(graph)

    def _body(
        self,
        graph: Digraph,
        body: Sequence[Statement],
        place: Place,
        flow: Flow | None,
        *,
        outermost: bool = False,
    ) -> Flow:
        """Draw statements one below the other; what leaves the last of them."""
        for number, statement in enumerate(body):
            rest = body[number:]
            if self.sheet.boxes >= MOST_BOXES and len(rest) > 1:
                paths = [place.prefix + name for one in rest for name in names_in(one)]
                path, name = f"{place.prefix}…", f"… {len(rest):,} more statements"
                self.sheet.box(graph, path, name, place.times, of=paths)
                result = rest[-1].output(self.model.definitions)
                return self.sheet.enter(flow, path, result)
            if outermost and flow and len(rest) > 1 and self._full():
                self.columns += 1
                flow = self.sheet.beside(graph, flow, str(self.columns))
            flow = self._statement(graph, statement, place, flow)
        assert flow is not None
        return flow

    def _full(self) -> bool:
        """Whether the column that is being drawn is high enough."""
        if self.column is None:
            return False
        return self.sheet.height >= self.column * (self.columns + 1)

    def _statement(
        self, graph: Digraph, statement: Statement, place: Place, flow: Flow | None
    ) -> Flow:
        def draw(inside: Digraph, body: Sequence[Statement], into: Flow) -> Flow:
            return self._body(inside, body, place, into)

        match statement:
            case Op():
                return self._op(graph, statement, place, flow)
            case Residual():
                assert flow is not None
                return self._residual(graph, statement, place, flow, draw)
            case Parallel():
                assert flow is not None
                return draw_parallel(self.sheet, graph, statement, place, flow, draw)
            case Region():
                assert flow is not None
                return draw_region(self.sheet, graph, statement, place, flow, draw)
            case Invocation():
                return self._invocation(graph, statement, place, flow)
            case _:
                assert_never(statement)

    def _op(self, graph: Digraph, op: Op, place: Place, flow: Flow | None) -> Flow:
        shifts = [value for _, value in op.args if isinstance(value, Shift)]
        note = ", ".join(map(edge_rule, shifts))
        theme = self.sheet.pen.theme
        more = [line for one in shifts for line in shift_rows(one, theme)]
        path = place.prefix + op.name
        gives = op.result if op.result != op.source else None
        self.sheet.box(
            graph, path, written(op), place.times, note=note, more=more, gives=gives
        )
        return self.sheet.enter(flow, path, op.result)

    def _residual(
        self, graph: Digraph, residual: Residual, place: Place, flow: Flow, draw: Draw
    ) -> Flow:
        self.sums[place.prefix] += 1
        # No name of a statement has a plus in it.
        plus = f"{place.prefix}+{self.sums[place.prefix]}"
        # A residual in a residual skips on the other side.
        left = self.depth % 2 == 1
        self.depth += 1
        flow = draw_residual(self.sheet, graph, residual, plus, flow, draw, left=left)
        self.depth -= 1
        return flow

    def _invocation(
        self, graph: Digraph, statement: Invocation, place: Place, flow: Flow | None
    ) -> Flow:
        path, name = place.prefix + statement.name, labelled(statement)
        runs = [(place.prefix + module, run) for module, run in statement.modules()]
        if len(runs) == 1:
            inner, run = runs[0]
            return self._run(graph, run, inner, place, flow, name)
        count = sum(run.count for run in statement.runs)
        with graph.subgraph(name=f"cluster_{path}") as cluster:
            self.sheet.frame(cluster, f"{name}× {count}", path, place.times)
            for number, (inner, run) in enumerate(runs):
                rest = runs[number:]
                if self.sheet.boxes >= MOST_BOXES and len(rest) > 1:
                    more = f"… × {sum(one.count for _, one in rest):,} more"
                    paths = [one for one, _ in rest]
                    path = f"{path}.…"
                    self.sheet.box(cluster, path, more, place.times, of=paths)
                    result = statement.output(self.model.definitions)
                    return self.sheet.enter(flow, path, result)
                flow = self._run(cluster, run, inner, place, flow, "")
        assert flow is not None
        return flow

    def _run(
        self,
        graph: Digraph,
        run: Run,
        path: str,
        place: Place,
        flow: Flow | None,
        name: str,
    ) -> Flow:
        """A block, `count` times in a row: opened the first time, then closed."""
        block = self.model.definitions[run.block]
        count = f"× {run.count}" if run.count > 1 or block.inline else ""
        known = "" if block.inline else block.name
        title = name + "  ".join(filter(None, [count, known]))
        kind = self.kinds.of(run.block)
        like = self.opened.get(kind)
        if like is not None or self.sheet.boxes >= MOST_OPEN:
            below = alike(like, run.block, inline=block.inline) if like else ""
            self.sheet.box(graph, path, title, place.times, below=below)
            return self.sheet.enter(flow, path, block.result)
        self.opened[kind] = run.block
        with graph.subgraph(name=f"cluster_{path}") as cluster:
            self.sheet.frame(cluster, title, path, place.times)
            inside = Place(f"{path}.", place.times * run.count)
            return self._body(cluster, block.body, inside, flow)
