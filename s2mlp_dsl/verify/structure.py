"""Structure: the graph that torch.fx traces, compared with the graph of the IR."""

from collections.abc import Iterator

import networkx as nx
from torch import fx, nn

from s2mlp_dsl.analysis.dataflow import dataflow, execution_order
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.lower.trace import statement_nodes, trace
from s2mlp_dsl.verify.certificate import Check, Failure, failure


def check_structure(model: Model, module: nn.Module) -> Check:
    """Every statement once, in order, with the inputs that the IR gives it."""
    expected = dataflow(model)
    try:
        traced = trace(module, model)
    except Exception as error:  # whatever the module does, it cannot be traced
        failures = [failure(expected, model.name, f"torch.fx: {error}")]
    else:
        failures = list(_compare(expected, traced.graph))
    return Check(
        name="structure",
        what="nodes of the torch.fx graph equal the statements of the IR",
        evidence="proved",
        cases=len(expected),
        failures=tuple(failures),
    )


def _compare(expected: nx.DiGraph, graph: fx.Graph) -> Iterator[Failure]:
    """Walk both graphs in order, comparing names and inputs of their nodes.

    The walk ends at the first name that differs: what follows cannot be paired.
    """
    order = iter(execution_order(expected))
    names: dict[fx.Node, str] = {}
    for node, name, read in statement_nodes(graph):
        want = next(order, None)
        inputs = [names.get(one, "?") for one in read]
        if node.op == "output":
            output = expected.graph["output"]
            if want is not None:
                yield failure(expected, want, "never runs")
            elif inputs != [output]:
                message = f"not this but {inputs[0]} is returned"
                yield failure(expected, output, message)
            return
        if name != want:
            yield _difference(expected, want, name, name in names.values())
            return
        names[node] = name
        if not _same_part(expected, name, node):
            yield failure(expected, name, "takes other channels")
        wanted = list(expected.nodes[name]["fed"])
        if name.startswith("+"):  # a sum, in either order
            inputs, wanted = sorted(inputs), sorted(wanted)
        if inputs != wanted:
            message = f"its input is {_listed(inputs)}, not {_listed(wanted)}"
            yield failure(expected, name, message)


def _same_part(expected: nx.DiGraph, want: str, node: fx.Node) -> bool:
    """Whether a part of a split has the channels that the IR gives it."""
    part = expected.nodes[want]["part"]
    if part is None:
        return True
    (split, number), (first, last) = node.args, part
    assert isinstance(split, fx.Node)
    return (split.args[1], number) == (last - first, first // (last - first))


def _difference(
    expected: nx.DiGraph, want: str | None, found: str, again: bool
) -> Failure:
    """Blame the node that should not be there, or else the one that should."""
    if again:
        message = f"runs again where {want or 'the end'} should"
        return failure(expected, found, message)
    if want is None:
        return failure(expected, found, "runs after the last statement of the IR")
    where = "in its place" if found in expected else "before it, not in the IR"
    return failure(expected, want, f"{found} comes {where}")


def _listed(nodes: list[str]) -> str:
    return " and ".join(nodes) or "nothing"
