"""The dataflow graph of a program, every call and iteration opened.

networkx is used here alone. Nodes are module paths (`stack.3.linear1`), the
input, the sums that end residuals, numbered in order (`+1`, `+2`, …), and the
parts of the channels that branches take (`|1.0`, `|1.1`, …). The attribute `op` is the
operator, None for all but the first kind; `fed` are the nodes that feed it, in order;
`part` is the range of channels of a part; `span` is the place of the statement, the
residual's for a sum.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

import networkx as nx

from s2mlp_dsl.ir.flow import Flow
from s2mlp_dsl.ir.program import (
    Composite,
    Invocation,
    Model,
    Op,
    Parallel,
    Residual,
    Statement,
)
from s2mlp_dsl.ir.shape import Shape
from s2mlp_dsl.source import Span

INPUT = "the input"  # the space keeps it apart from the name of any statement
Nodes = list[str]  # whose values, side by side, are the input of a statement


class Place(NamedTuple):
    """A statement's output: its node, its shape, and the statement's module, if any."""

    node: str
    shape: Shape
    path: str | None


def dataflow(model: Model) -> nx.DiGraph:
    """The graph. Its attribute `output` is the node with the model's result.

    `labels` has, for each label, the place of every such statement; `paths` has the
    place of every module that is a statement or an iteration of a stack.
    """
    builder = _Builder(model)
    (builder.graph.graph["output"],) = builder.body(model.body, [INPUT])
    assert nx.is_directed_acyclic_graph(builder.graph)
    return builder.graph


def execution_order(graph: nx.DiGraph) -> list[str]:
    """The nodes in the order in which the program computes them."""
    numbers = {node: number for number, node in enumerate(graph)}
    return list(nx.lexicographical_topological_sort(graph, key=numbers.__getitem__))


def distinct_statements(graph: nx.DiGraph) -> Iterator[tuple[str, Op]]:
    """The first of each kind of statement on each shape: its node and operator.

    Only those with a single input: what merges branches cannot be tried alone.
    """
    known = set()
    for node, op in graph.nodes(data="op"):
        if op is None or len(graph.nodes[node]["fed"]) > 1:
            continue
        key = op.content
        if key not in known:
            known.add(key)
            yield node, op


class _Builder(Flow[Nodes]):
    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self.sums = self.splits = 0
        self.labels: dict[str, list[Place]] = {}
        self.paths: dict[str, Place] = {}
        self.graph = nx.DiGraph(labels=self.labels, paths=self.paths)
        self._add(INPUT, [], None)

    def _add(
        self,
        node: str,
        fed: Sequence[str],
        span: Span | None,
        op: Op | None = None,
        part: tuple[int, int] | None = None,
    ) -> Nodes:
        self.graph.add_node(node, op=op, span=span, fed=tuple(fed), part=part)
        self.graph.add_edges_from((source, node) for source in fed)
        return [node]

    def statement(self, statement: Statement, value: Nodes, prefix: str) -> Nodes:
        value = super().statement(statement, value, prefix)
        (node,) = value
        path = None if isinstance(statement, Composite) else prefix + statement.name
        place = Place(node, statement.output(self.model.definitions), path)
        if path is not None:
            self.paths[path] = place
        if statement.label is not None:
            self.labels.setdefault(statement.label, []).append(place)
        return value

    def op(self, op: Op, value: Nodes, path: str) -> Nodes:
        return self._add(path, value, op.span, op)

    def add(self, residual: Residual, value: Nodes, branch: Nodes) -> Nodes:
        self.sums += 1
        return self._add(f"+{self.sums}", [*value, *branch], residual.span)

    def split(self, parallel: Parallel, value: Nodes) -> list[Nodes]:
        if not parallel.parts:
            return [value] * len(parallel.branches)
        self.splits += 1
        ends = accumulate(parallel.parts, initial=0)
        return [
            self._add(f"|{self.splits}.{n}", value, parallel.span, part=part)
            for n, part in enumerate(pairwise(ends))
        ]

    def join(self, parallel: Parallel, outputs: list[Nodes]) -> Nodes:
        return [node for (node,) in outputs]

    def invocation(self, statement: Invocation, value: Nodes, prefix: str) -> Nodes:
        for module, run in statement.modules(each=True):
            path = prefix + module
            value = self.run(run, value, f"{path}.")
            (node,) = value
            shape = self.model.definitions[run.block].result
            self.paths[path] = Place(node, shape, path)
        return value
