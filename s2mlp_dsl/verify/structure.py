"""Structure: the graph that torch.fx traces, against the graph of the IR."""

import operator

import networkx as nx
import torch
from torch import fx, nn

from s2mlp_dsl.analysis.dataflow import INPUT, dataflow, execution_order
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.lower.trace import trace
from s2mlp_dsl.verify.certificate import Check, Failure

SUM = "a sum"


def check_structure(model: Model, module: nn.Module) -> Check:
    """Every statement once, in order, fed by what the IR says feeds it."""
    expected = dataflow(model)
    try:
        traced = trace(module, model)
    except Exception as error:  # whatever the module does, it is not traceable
        failures = [Failure(statement=model.name, message=f"torch.fx: {error}")]
    else:
        failures = _compare(expected, traced.graph)
    return Check(
        name="structure",
        what="nodes of the torch.fx graph equal the statements of the IR",
        cases=len(expected),
        failures=tuple(failures),
    )


def _compare(expected: nx.DiGraph, graph: fx.Graph) -> list[Failure]:
    """Walk both graphs in order, pairing nodes and comparing what feeds them.

    Where they part, the walk ends: nothing after that place can be paired.
    """
    failures: list[Failure] = []
    order = iter(execution_order(expected))
    paired: dict[fx.Node, str] = {}
    for node in graph.nodes:
        if _is_split(node) or _is_size(node) or _changes_form(node):
            continue  # the IR knows the parts of a split, and no form of a map
        want = next(order, None)
        if node.op == "output":
            (result,) = _fed(node)
            return failures + _at_the_end(expected, want, paired.get(result))
        found = _meaning(node)
        if found != _kind(expected, want):
            return [*failures, _parting(expected, want, found, set(paired.values()))]
        assert want is not None
        paired[node] = want
        fed = [paired.get(one, "?") for one in _fed(node)]
        wanted = list(expected.nodes[want]["fed"])
        if found == SUM:  # either order
            fed, wanted = sorted(fed), sorted(wanted)
        if fed != wanted:
            message = f"fed by {_listed(fed)}, not by {_listed(wanted)}"
            failures.append(_failure(expected, want, message))
    return failures


def _at_the_end(
    expected: nx.DiGraph, want: str | None, result: str | None
) -> list[Failure]:
    if want is not None:
        return [_failure(expected, want, "never runs")]
    output = expected.graph["output"]
    if result == output:
        return []
    return [_failure(expected, output, f"not this but {result} is returned")]


def _parting(
    expected: nx.DiGraph, want: str | None, found: str, seen: set[str]
) -> Failure:
    """Blame what should not be here, or else what should."""
    if found in seen:
        return _failure(expected, found, f"runs again where {want or 'the end'} should")
    if want is None:
        return _failure(expected, found, "runs after the last statement of the IR")
    if found != SUM and found not in expected:
        return _failure(expected, want, f"{found} stands before it, not in the IR")
    return _failure(expected, want, f"{found} stands in its place")


def _meaning(node: fx.Node) -> str:
    """A traced node in the words of the dataflow graph."""
    if node.op == "placeholder":
        return INPUT
    if node.op == "call_module":
        return str(node.target)
    if node.op == "call_function" and node.target is operator.getitem:
        split, number = node.args
        if isinstance(split, fx.Node) and _is_split(split):
            return f"part {number} of {split.args[1]} channels"
    # Nothing else is a plain sum: no scale, no constant, not in place.
    plain = len(node.all_input_nodes) == len(node.args) == 2 and not node.kwargs
    if node.op == "call_function" and node.target is operator.add and plain:
        return SUM
    return f"{node.op} {getattr(node.target, '__name__', node.target)}"


def _is_split(node: fx.Node) -> bool:
    """`torch.split(x, channels, dim=-1)`, which nothing but its parts reads."""
    return (
        node.target is torch.split
        and len(node.args) == 2
        and node.kwargs == {"dim": -1}
        and all(user.target is operator.getitem for user in node.users)
    )


def _changes_form(node: fx.Node) -> bool:
    """`x.flatten(0, -2)` and `torch.unflatten(x, 0, size)`: see `lower/rows.py`."""
    if node.target == "flatten":
        return node.args[1:] == (0, -2) and not node.kwargs
    if node.target is torch.unflatten and not node.kwargs:
        axis, size = node.args[1:]
        return bool(axis == 0 and isinstance(size, fx.Node) and _is_size(size))
    return False


def _is_size(node: fx.Node) -> bool:
    """`x.shape[:-1]`, or the shape that it is taken of."""
    if node.op != "call_function":
        return False
    if node.target is operator.getitem and node.args[1] == slice(None, -1, None):
        return isinstance(node.args[0], fx.Node) and _is_size(node.args[0])
    return bool(node.target is getattr and node.args[1] == "shape")


def _fed(node: fx.Node) -> list[fx.Node]:
    """What feeds a node, in order; what was split feeds a part of it."""
    given = [one for one in node.args if isinstance(one, fx.Node)]
    return [
        _fed(one)[0] if _is_split(one) or _changes_form(one) else one for one in given
    ]


def _kind(graph: nx.DiGraph, want: str | None) -> str | None:
    if want is None or want == INPUT:
        return want
    if graph.nodes[want]["part"] is not None:
        first, last = graph.nodes[want]["part"]
        return f"part {first // (last - first)} of {last - first} channels"
    return SUM if graph.nodes[want]["op"] is None else want


def _listed(nodes: list[str]) -> str:
    return " and ".join(nodes) or "nothing"


def _failure(graph: nx.DiGraph, node: str, message: str) -> Failure:
    span = graph.nodes[node]["span"] if node in graph else None
    return Failure(statement=node, message=message, span=span)
