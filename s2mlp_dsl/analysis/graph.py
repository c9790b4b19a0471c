"""The dataflow graph of a program, every call and iteration opened.

networkx lives here alone. Nodes are module paths (`stack.3.linear1`), the
input, the sums that end residuals, numbered in order (`+1`, `+2`, …), and the
parts that branches take of a split (`|1.0`, `|1.1`, …). The attribute `op` is the
operator, None for all but the first; `fed` are the nodes that feed it, in order;
`part` the first and the last channel (excluded) of a part; `span` is where the
statement stands, the residual's for a sum.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

import networkx as nx

from s2mlp_dsl.ir.program import (
    Call,
    Model,
    Op,
    Parallel,
    Region,
    Residual,
    Stack,
    Statement,
    result_of,
)
from s2mlp_dsl.source import Span

INPUT = "the input"  # the space keeps it apart from every statement's name


def dataflow(model: Model) -> nx.DiGraph:
    """The graph. Its attribute `output` is the node whose value is the result.

    `labels` has, for each label, every (node, shape) that leaves such a statement.
    """
    builder = _Builder(model)
    builder.graph.graph["output"] = builder.body(model.body, "", INPUT)
    assert nx.is_directed_acyclic_graph(builder.graph)
    return builder.graph


def execution_order(graph: nx.DiGraph) -> list[str]:
    """The nodes in the order in which the program computes them."""
    numbers = {node: number for number, node in enumerate(graph)}
    return list(nx.lexicographical_topological_sort(graph, key=numbers.__getitem__))


def distinct_statements(graph: nx.DiGraph) -> Iterator[tuple[str, Op]]:
    """The first of each kind of statement on each shape: its node and operator.

    Only those that take a single map: what joins branches cannot be tried alone.
    """
    known = set()
    for node, op in graph.nodes(data="op"):
        if op is None or len(graph.nodes[node]["fed"]) > 1:
            continue
        key = (op.operator, op.args, op.source)
        if key not in known:
            known.add(key)
            yield node, op


class _Builder:
    def __init__(self, model: Model) -> None:
        self.model, self.sums, self.splits = model, 0, 0
        self.graph = nx.DiGraph(labels={})
        self._add(INPUT, [], None)

    def _add(
        self,
        node: str,
        fed: Sequence[str],
        span: Span | None,
        op: Op | None = None,
        part: tuple[int, int] | None = None,
    ) -> str:
        self.graph.add_node(node, op=op, span=span, fed=tuple(fed), part=part)
        self.graph.add_edges_from((one, node) for one in fed)
        return node

    def body(self, body: tuple[Statement, ...], prefix: str, current: str) -> str:
        """Add the statements of a body after `current`; returns the last node."""
        for statement in body:
            match statement:
                case Op(name=name, span=span):
                    current = self._add(prefix + name, [current], span, statement)
                case Residual():
                    branch = self.body(statement.body, prefix, current)
                    self.sums += 1
                    fed = [current, branch]
                    current = self._add(f"+{self.sums}", fed, statement.span)
                case Parallel():
                    current = self._parallel(statement, prefix, current)
                case Region():
                    current = self.body(statement.sequence, prefix, current)
                case Call():
                    block = self.model.definitions[statement.block]
                    inside = f"{prefix}{statement.name}."
                    current = self.body(block.body, inside, current)
                case Stack():
                    current = self._stack(statement, prefix, current)
            if statement.label is not None:
                leaves = (current, result_of(self.model, statement))
                self.graph.graph["labels"].setdefault(statement.label, []).append(
                    leaves
                )
        return current

    def _parallel(self, parallel: Parallel, prefix: str, current: str) -> str:
        entering = [current] * len(parallel.branches)
        if parallel.parts:
            self.splits += 1
            ends = list(accumulate(parallel.parts, initial=0))
            entering = [
                self._add(f"|{self.splits}.{n}", [current], parallel.span, part=part)
                for n, part in enumerate(pairwise(ends))
            ]
        fed = [
            self.body(branch, prefix, one)
            for branch, one in zip(parallel.branches, entering, strict=True)
        ]
        merge = parallel.merge
        return self._add(prefix + merge.name, fed, merge.span, merge)

    def _stack(self, stack: Stack, prefix: str, current: str) -> str:
        number = 0
        for run in stack.runs:
            body = self.model.definitions[run.block].body
            for _ in range(run.count):
                current = self.body(body, f"{prefix}{stack.name}.{number}.", current)
                number += 1
        return current
