"""Structure: the graph that torch.fx traces, against the graph of the IR."""

import networkx as nx
from torch import fx, nn

from s2mlp_dsl.analysis.graph import INPUT, dataflow, execution_order
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.verify.certificate import Check, Failure

_SUMS = ("add", "iadd")


class StatementTracer(fx.Tracer):
    """Traces down to the modules that statements of the IR stand for."""

    def __init__(self, statements: set[str]) -> None:
        super().__init__()
        self.statements = statements

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return module_qualified_name in self.statements


def trace(module: nn.Module, model: Model) -> fx.GraphModule:
    """The module as a graph with one node per statement."""
    graph = dataflow(model)
    tracer = StatementTracer(set(graph))
    return fx.GraphModule(module, tracer.trace(module))


def check_structure(model: Model, module: nn.Module) -> Check:
    """Every statement once, in order, fed by what the IR says feeds it."""
    expected = dataflow(model)
    try:
        traced = trace(module, model)
    except Exception as error:  # whatever the module does, it is not traceable
        failure = Failure(statement=model.name, message=f"torch.fx: {error}")
        return _result(1, [failure])
    return _result(len(expected), list(_compare(expected, traced.graph)))


def _result(cases: int, failures: list[Failure]) -> Check:
    return Check(
        name="structure",
        what="nodes of the torch.fx graph equal the statements of the IR",
        cases=cases,
        failures=tuple(failures),
    )


def _compare(expected: nx.DiGraph, graph: fx.Graph) -> list[Failure]:
    """Walk both graphs in order, pairing nodes and comparing what feeds them."""
    failures: list[Failure] = []
    order = iter(execution_order(expected))
    paired: dict[fx.Node, str] = {}
    for node in graph.nodes:
        if node.op == "output":
            result = paired.get(node.args[0])
            if result != expected.graph["output"]:
                wanted = expected.graph["output"]
                failures.append(_failure(expected, wanted, f"{result} is returned"))
            break
        want = next(order, None)
        found = _meaning(node)
        if want is None:
            failures.append(
                Failure(statement=found, message="the IR has no such statement")
            )
            break
        kind = "+" if want.startswith("+") else want
        if found != kind:
            failures.append(_failure(expected, want, f"the graph has {found} here"))
            break
        paired[node] = want
        fed = sorted(paired.get(one, "?") for one in node.all_input_nodes)
        wanted_fed = sorted(expected.predecessors(want))
        if fed != wanted_fed:
            failures.append(
                _failure(expected, want, f"fed by {fed}, not by {wanted_fed}")
            )
    missing = list(order) if not failures else []
    failures += [
        _failure(expected, one, "the graph has no such node") for one in missing[:5]
    ]
    return failures


def _meaning(node: fx.Node) -> str:
    """A traced node in the words of the dataflow graph."""
    if node.op == "placeholder":
        return INPUT
    if node.op == "call_module":
        return str(node.target)
    if node.op == "call_function" and node.target.__name__ in _SUMS:  # type: ignore[union-attr]
        return "+"
    return f"{node.op} {node.target}"


def _failure(graph: nx.DiGraph, node: str, message: str) -> Failure:
    op = graph.nodes[node].get("op")
    return Failure(statement=node, message=message, span=op.span if op else None)
