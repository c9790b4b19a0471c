"""The statements of a model or a block, drawn one below the other.

Runs of equal iterations are drawn once, in a frame with their ×N; the figures inside
are for one of the N. A block that differs from one above in sizes alone stays closed.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import assert_never

from graphviz import Digraph

from s2mlp_dsl.analysis.analyze import Analysis
from s2mlp_dsl.ir import program as ir
from s2mlp_dsl.ir.print import print_op, print_value
from s2mlp_dsl.ir.shape import Shape
from s2mlp_dsl.ir.walk import within
from s2mlp_dsl.operators import SIGNATURES
from s2mlp_dsl.pictures.blocks import Use, kinds_of
from s2mlp_dsl.pictures.boxes import BoxStyle
from s2mlp_dsl.pictures.canvas import Canvas
from s2mlp_dsl.pictures.figures import Costs
from s2mlp_dsl.pictures.shifts import edge_rule, shift_rows
from s2mlp_dsl.pictures.theme import Theme

# After so many boxes further blocks stay closed, and after so many what follows becomes
# one box: a stack may have thousands of distinct blocks.
MOST_OPEN = 48
MOST_BOXES = 160
# A picture of a model that would be higher, in points, continues in a column beside.
TALLEST = 1200


def draw_statements(
    model: ir.Model,
    analysis: Analysis,
    theme: Theme,
    caption: Sequence[str],
    use: Use | None = None,
) -> Digraph:
    """The statements of a model, or of the block of one `use`."""
    part = model.definitions[use.block] if use else model
    costs = Costs(analysis)

    def drawn(graph: Digraph, style: BoxStyle, column: float | None) -> Canvas:
        canvas = Canvas(graph, costs, style)
        drawing = Drawing(model, canvas, use, column)
        if isinstance(part, ir.Block):
            canvas.start(part.source)
        drawing.body(part.body)
        canvas.finish()
        return canvas

    # Drawn once for its names and its height, then in columns of equal height.
    trial = drawn(Digraph(), BoxStyle(theme), None)
    column = None if use else trial.height / math.ceil(trial.height / TALLEST)
    style = BoxStyle(theme, trial.names)
    graph = style.empty_picture(part.name, part.doc or "", caption)
    drawn(graph, style, column)
    return graph


class Drawing:
    """Draws statements onto a canvas.

    After each `column` points of height, about, the outermost statements continue
    beside the others.
    """

    def __init__(
        self, model: ir.Model, canvas: Canvas, use: Use | None, column: float | None
    ) -> None:
        self.model, self.canvas, self.column = model, canvas, column
        # Of the paths of the statements being drawn; and how often these run.
        self.prefix, self.times = (f"{use.path}.", use.times) if use else ("", 1)
        self.columns = self.residuals = 0
        self.kinds = kinds_of(model)
        self.opened: dict[object, str] = {}
        self.sums: Counter[str] = Counter()

    def body(self, body: ir.Body) -> None:
        """Draw statements one below the other."""
        for number, statement in enumerate(body):
            rest = body[number:]
            if self.canvas.boxes >= MOST_BOXES and len(rest) > 1:
                named = (s for s in within(rest) if not isinstance(s, ir.Composite))
                paths = [self.prefix + statement.name for statement in named]
                words = f"{len(rest):,} more statements"
                result = rest[-1].output(self.model.definitions)
                self._rest(self.prefix, words, paths, result)
                return
            if len(rest) > 1 and body is self.model.body and self._column_is_full:
                self.columns += 1
                self.canvas.continue_beside(str(self.columns))
            self._statement(statement)

    @property
    def _column_is_full(self) -> bool:
        if self.column is None or self.canvas.flow is None:
            return False
        return self.canvas.height >= self.column * (self.columns + 1)

    def _rest(self, prefix: str, words: str, paths: list[str], result: Shape) -> None:
        """One box for all that follows in a body or a stack."""
        self.canvas.box(f"{prefix}…", f"… {words}", self.times, result, of=paths)

    def _statement(self, statement: ir.Statement) -> None:
        match statement:
            case ir.Op():
                self._op(statement)
            case ir.Residual():
                self._residual(statement)
            case ir.Parallel():
                self._parallel(statement)
            case ir.Region():
                self._region(statement)
            case ir.Invocation():
                self._invocation(statement)
            case _:
                assert_never(statement)

    def _op(self, op: ir.Op) -> None:
        shifts = [value for _, value in op.args if isinstance(value, ir.Shift)]
        theme = self.canvas.theme
        self.canvas.box(
            self.prefix + op.name,
            _written(op),
            self.times,
            op.result,
            note=", ".join(map(edge_rule, shifts)),
            more=[line for shift in shifts for line in shift_rows(shift, theme)],
            reshapes=op.result != op.source,
        )

    def _residual(self, residual: ir.Residual) -> None:
        """A fork, the body, and a plus with a skip connection on one side."""
        self.sums[self.prefix] += 1
        # No name of a statement has a plus in it.
        plus = f"{self.prefix}+{self.sums[self.prefix]}"
        # A residual in a residual skips on the other side.
        self.canvas.fork(f"{plus}.in", left=self.residuals % 2 == 1)
        self.residuals += 1
        self.body(residual.body)
        self.residuals -= 1
        self.canvas.add(plus)

    def _parallel(self, parallel: ir.Parallel) -> None:
        """Branches side by side, and below them the box that merges them."""
        canvas, merge = self.canvas, parallel.merge
        path = self.prefix + merge.name
        starts = canvas.split(f"{path}.in", parallel.branch_inputs(canvas.shape))
        ends = []
        branches = zip(parallel.branches, starts, strict=True)
        for number, (branch, start) in enumerate(branches):
            with canvas.branch(f"{path}.{number}", start):
                self.body(branch)
                if not branch:
                    canvas.small_box(f"{path}.same{number}", start.shape)
            assert canvas.flow is not None
            ends.append(canvas.flow)
        canvas.join(f"{path}.out", ends)
        canvas.box(path, _written(merge), self.times, merge.result)

    def _region(self, region: ir.Region) -> None:
        """A body in a frame, between a small box that enters it and one that leaves."""
        enter, leave = region.enter, region.leave
        path = self.prefix + enter.name
        with self.canvas.region(path, _label(region) + region.operator, _said(region)):
            self.canvas.small_box(path, enter.result)
            self.body(region.body)
            self.canvas.small_box(self.prefix + leave.name, leave.result)

    def _invocation(self, statement: ir.Invocation) -> None:
        path, label = self.prefix + statement.name, _label(statement)
        runs = [(self.prefix + module, run) for module, run in statement.modules()]
        if len(runs) == 1:
            ((module, run),) = runs
            self._run(run, module, label)
            return
        count = sum(run.count for _, run in runs)
        with self.canvas.frame(path, f"{label}× {count}", self.times):
            for number, (module, run) in enumerate(runs):
                rest = runs[number:]
                if self.canvas.boxes >= MOST_BOXES and len(rest) > 1:
                    words = f"× {sum(run.count for _, run in rest):,} more"
                    paths = [module for module, _ in rest]
                    result = statement.output(self.model.definitions)
                    self._rest(f"{path}.", words, paths, result)
                    return
                self._run(run, module, "")

    def _run(self, run: ir.Run, path: str, label: str) -> None:
        """A block, `count` times in a row: opened the first time, then closed."""
        block = self.model.definitions[run.block]
        count = f"× {run.count}" if run.count > 1 or block.inline else ""
        name = "" if block.inline else block.name
        title = label + "  ".join(filter(None, [count, name]))
        kind = self.kinds[run.block]
        like = self.opened.get(kind)
        if like is not None or self.canvas.boxes >= MOST_OPEN:
            below = _likeness(like, block) if like else ""
            self.canvas.box(path, title, self.times, block.result, below=below)
            return
        self.opened[kind] = run.block
        outer = self.prefix, self.times
        with self.canvas.frame(path, title, self.times):
            self.prefix, self.times = f"{path}.", self.times * run.count
            self.body(block.body)
        self.prefix, self.times = outer


def _label(statement: ir.Op | ir.Region | ir.Invocation) -> str:
    """What a spec writes before a statement: `head: `, or nothing."""
    return f"{statement.label}: " if statement.label else ""


def _written(op: ir.Op) -> str:
    """The statement as a spec writes it: `head: linear(1000)`."""
    return _label(op) + print_op(op, SIGNATURES[op.operator])


def _said(region: ir.Region) -> str:
    """The arguments of a region: `y, multiple 4, edge zeros`."""
    first, *others = ((name, print_value(value)) for name, value in region.args)
    said = [first[1].strip('"'), *(f"{name} {value}" for name, value in others)]
    return ", ".join(said)


def _likeness(like: str, block: ir.Block) -> str:
    """What a closed box says of the open one above it; an equal name says it all."""
    sizes = "" if like == block.name else ", other sizes"
    if block.inline:
        return f"as above{sizes}"
    return f"as {like}{sizes}" if sizes else ""
