"""The torch.fx graph of a compiled model, each node with its statement.

Of each run of a stack one iteration is kept: the others trace to the same nodes. The
only part of a picture that needs PyTorch.
"""

import operator
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx, nn

from s2mlp_dsl.analysis.dataflow import dataflow
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.ir.walk import walk
from s2mlp_dsl.lower.trace import StatementTracer


@dataclass(frozen=True)
class TracedNode:
    """A node of a torch.fx graph.

    `words` say what it does, `statement` is the path of the statement that it comes
    from, and `inputs` are the names of the nodes that feed it.
    """

    name: str
    kind: str
    words: str
    statement: str
    inputs: tuple[str, ...]


class _Tracer(fx.Tracer):
    """Traces into the modules of statements, down to those of torch.nn."""

    def iter(self, obj: Any) -> Iterator[Any]:
        # torch.split with a list of sizes gives as many maps as sizes.
        if obj.node.target is torch.split and isinstance(obj.node.args[1], list):
            numbers = range(len(obj.node.args[1]))
            return (operator.getitem(obj, number) for number in numbers)
        return iter(super().iter(obj))


def trace(model: Model, module: nn.Module) -> list[TracedNode]:
    """The nodes of a model built as `module`; of equal iterations, the first."""
    try:
        graph = _Tracer().trace(module)
    except (fx.proxy.TraceError, TypeError):
        # Some statement cannot be traced into: each is one node then.
        graph = StatementTracer(set(dataflow(model))).trace(module)
    modules, runs = dict(module.named_modules()), _runs_of(model)
    kept: dict[tuple[str, int], TracedNode] = {}
    names: dict[fx.Node, str] = {}  # of the nodes that are kept in place of others
    counts: defaultdict[str, int] = defaultdict(int)
    for node in graph.nodes:
        if node.op == "get_attr":
            continue
        owner = _owner(node)
        statement, first = _folded(owner, runs)
        here, in_first = _iteration(owner), _iteration(first)
        counts[here] += 1
        key = in_first, counts[here]
        if here == in_first:
            inputs = dict.fromkeys(names[n] for n in node.all_input_nodes if n in names)
            words = _words(node, modules)
            kept[key] = TracedNode(node.name, node.op, words, statement, tuple(inputs))
        names[node] = kept[key].name if key in kept else node.name
    return list(kept.values())


def _owner(node: fx.Node) -> str:
    """The path of the module that a node belongs to."""
    stack = node.meta.get("nn_module_stack") or {}
    owner = next(reversed(stack), "")
    return str(node.target) if node.op == "call_module" else str(owner)


def _iteration(path: str) -> str:
    """The path up to the last index of a stack: nodes are counted in iterations."""
    parts = path.split(".")
    while parts and not parts[-1].isdigit():
        parts.pop()
    return ".".join(parts)


def _runs_of(model: Model) -> dict[str, list[range]]:
    """The iterations of each run, by the path of its stack."""
    found: defaultdict[str, list[range]] = defaultdict(list)
    for visit in walk(model):
        for path, run in visit.runs:
            stack, _, iterations = path.rpartition(".")
            first = iterations.partition("-")[0]
            if first.isdigit():
                found[stack].append(range(int(first), int(first) + run.count))
    return found


def _folded(owner: str, runs: dict[str, list[range]]) -> tuple[str, str]:
    """A path with `0-35` for its iteration, and the one of the first iteration."""
    folded: list[str] = []
    first: list[str] = []
    for part in owner.split("."):
        index = int(part) if part.isdigit() else -1
        run = next((r for r in runs.get(".".join(folded), ()) if index in r), None)
        ends = (run[0], run[-1]) if run else (part,)
        folded.append("-".join(map(str, dict.fromkeys(ends))))
        first.append(str(ends[0]))
    return ".".join(folded), ".".join(first)


def _words(node: fx.Node, modules: dict[str, nn.Module]) -> str:
    """`cat`, `.reshape`, or `linear1: Linear` for a module."""
    match node.op:
        case "call_function":
            return str(getattr(node.target, "__name__", node.target))
        case "call_method":
            return f".{node.target}"
        case "call_module":
            path = str(node.target)
            return f"{path.rpartition('.')[2]}: {type(modules[path]).__name__}"
        case _:
            return node.op
