"""The dataflow graph of a program, every call and iteration opened.

networkx lives here alone. Nodes are module paths (`stack.3.linear1`), the
input, and the sums that end residuals, numbered in order (`+1`, `+2`, …). The
attribute `op` is the operator, None for the input and the sums; `span` is where
the statement stands, the residual's for a sum.
"""

import networkx as nx

from s2mlp_dsl.ir.program import Call, Model, Op, Residual, Stack, Statement

INPUT = "the input"  # the space keeps it apart from every statement's name


def dataflow(model: Model) -> nx.DiGraph:
    """The graph. Its attribute `output` is the node whose value is the result."""
    builder = _Builder(model)
    builder.graph.graph["output"] = builder.body(model.body, "", INPUT)
    assert nx.is_directed_acyclic_graph(builder.graph)
    return builder.graph


def execution_order(graph: nx.DiGraph) -> list[str]:
    """The nodes in the order in which the program computes them."""
    numbers = {node: number for number, node in enumerate(graph)}
    return list(nx.lexicographical_topological_sort(graph, key=numbers.__getitem__))


class _Builder:
    def __init__(self, model: Model) -> None:
        self.model, self.sums = model, 0
        self.graph = nx.DiGraph()
        self.graph.add_node(INPUT, op=None, span=None)

    def body(self, body: tuple[Statement, ...], prefix: str, current: str) -> str:
        """Add the statements of a body after `current`; returns the last node."""
        for statement in body:
            match statement:
                case Op():
                    node = prefix + statement.name
                    self.graph.add_node(node, op=statement, span=statement.span)
                    self.graph.add_edge(current, node)
                    current = node
                case Residual():
                    branch = self.body(statement.body, prefix, current)
                    self.sums += 1
                    node = f"+{self.sums}"
                    self.graph.add_node(node, op=None, span=statement.span)
                    self.graph.add_edges_from([(current, node), (branch, node)])
                    current = node
                case Call():
                    block = self.model.definitions[statement.block]
                    inside = f"{prefix}{statement.name}."
                    current = self.body(block.body, inside, current)
                case Stack():
                    current = self._stack(statement, prefix, current)
        return current

    def _stack(self, stack: Stack, prefix: str, current: str) -> str:
        number = 0
        for run in stack.runs:
            body = self.model.definitions[run.block].body
            for _ in range(run.count):
                current = self.body(body, f"{prefix}{stack.name}.{number}.", current)
                number += 1
        return current
