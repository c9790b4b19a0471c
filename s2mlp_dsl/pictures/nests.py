"""Statements with bodies inside: a sum, branches side by side, a scope in a frame.

Each function draws its statement onto a sheet and leaves the bodies to `draw`,
which takes a graph, statements and what enters them, and gives what leaves.
"""

from collections.abc import Callable, Sequence

from graphviz import Digraph

from s2mlp_dsl.ir.program import Parallel, Region, Residual, Statement
from s2mlp_dsl.pictures.place import Flow, Place
from s2mlp_dsl.pictures.sheet import Sheet
from s2mlp_dsl.pictures.words import titled, written

Draw = Callable[[Digraph, Sequence[Statement], Flow], Flow]


def draw_residual(
    sheet: Sheet,
    graph: Digraph,
    residual: Residual,
    node: str,
    flow: Flow,
    draw: Draw,
    *,
    left: bool,
) -> Flow:
    """A fork, the body, and the plus `node`; the skip is on one side."""
    inside = sheet.fork(graph, flow, f"{node}.in", left=left)
    return sheet.plus(graph, draw(graph, residual.body, inside), node)


def draw_parallel(
    sheet: Sheet,
    graph: Digraph,
    parallel: Parallel,
    place: Place,
    flow: Flow,
    draw: Draw,
) -> Flow:
    """Branches side by side, and below them the box that fuses them."""
    merge = place.prefix + parallel.merge.name
    columns = sheet.part(graph, flow, f"{merge}.in", parallel.branch_inputs(flow.shape))
    ends = []
    branches = zip(parallel.branches, columns, strict=True)
    for number, (branch, column) in enumerate(branches):
        sheet.column(flow.shape)
        # A frame that is not drawn keeps what is in a column together.
        with graph.subgraph(name=f"cluster_{merge}.{number}") as around:
            around.attr(peripheries="0", margin="6", label="", tooltip=" ")
            if branch:
                ends.append(draw(around, branch, column))
            else:
                same = f"{merge}.same{number}"
                ends.append(sheet.pill(around, column, same, column.shape))
    joined = sheet.join(graph, ends, f"{merge}.out", flow.shape)
    sheet.box(graph, merge, written(parallel.merge), place.times)
    return sheet.enter(joined, merge, parallel.merge.result)


def draw_region(
    sheet: Sheet, graph: Digraph, region: Region, place: Place, flow: Flow, draw: Draw
) -> Flow:
    """A body in a frame that says how it is entered, between two small steps."""
    enter, leave = place.prefix + region.enter.name, place.prefix + region.leave.name
    with graph.subgraph(name=f"cluster_{enter}.scope") as cluster:
        sheet.region(cluster, *titled(region))
        flow = sheet.pill(cluster, flow, enter, region.enter.result)
        flow = draw(cluster, region.body, flow)
        flow = sheet.pill(cluster, flow, leave, region.leave.result)
    sheet.leave()
    return flow
