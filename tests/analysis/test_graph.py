"""The dataflow graph."""

import networkx as nx

from s2mlp_dsl.analysis.dataflow import INPUT, dataflow, execution_order
from s2mlp_dsl.api import elaborate
from s2mlp_dsl.operators import applied
from tests.lower.specs import SMALL, program

SPEC = """edition 1

block inner {
    residual {
        gelu
        residual {
            linear(dim)
        }
    }
}

model m {
    image(2, 3, 4)
    input: linear(3)
    stack 2 {
        inner
    }
    residual {
        norm(affine)
    }
}
"""


def test_nodes_in_order_of_execution() -> None:
    graph = dataflow(elaborate(SPEC).model)
    assert execution_order(graph) == [
        INPUT,
        "image",
        "input",
        *("stack.0.gelu", "stack.0.linear", "+1", "+2"),
        *("stack.1.gelu", "stack.1.linear", "+3", "+4"),
        "norm",
        "+5",
    ]
    assert graph.graph["output"] == "+5"


def test_what_feeds_what() -> None:
    graph = dataflow(elaborate(SPEC).model)
    fed = {node: sorted(graph.predecessors(node)) for node in graph}
    assert fed["stack.0.gelu"] == ["input"]
    assert fed["+1"] == ["stack.0.gelu", "stack.0.linear"]
    assert fed["+2"] == ["+1", "input"]
    assert fed["stack.1.gelu"] == ["+2"]
    assert fed["+5"] == ["+4", "norm"]


def test_spans_point_at_statements() -> None:
    graph = dataflow(elaborate(SPEC).model)
    lines = {node: span.line for node, span in graph.nodes(data="span") if span}
    assert lines["input"] == 14
    assert lines["stack.1.linear"] == lines["stack.0.linear"] == 7
    assert (lines["+1"], lines["+2"], lines["+5"]) == (6, 4, 18)


def test_every_program_flows_from_input_to_output() -> None:
    for name in SMALL:
        graph = dataflow(program(name).model)
        assert nx.is_directed_acyclic_graph(graph)
        assert [node for node in graph if graph.in_degree(node) == 0] == [INPUT]
        (last,) = (node for node in graph if graph.out_degree(node) == 0)
        assert last == graph.graph["output"] == execution_order(graph)[-1]
        for node, facts in graph.nodes(data=True):
            assert set(facts["fed"]) == set(graph.predecessors(node))
            if node.startswith("+"):
                assert len(facts["fed"]) == 2
            elif facts["op"] is None or applied(facts["op"]).role != "merge":
                assert len(facts["fed"]) == (node != INPUT)
