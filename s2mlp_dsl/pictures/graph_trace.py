"""The torch.fx graph of a compiled model, each node with its statement.

Of each run of a stack one iteration is kept: the others trace to the same
nodes. The only part of a picture that needs PyTorch.
"""

import operator
from collections.abc import Iterator
from typing import Any

import torch
from torch import fx, nn

from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.ir.walk import occurrences
from s2mlp_dsl.pictures.graph_view import Traced


class _Tracer(fx.Tracer):
    """Traces into the modules of statements, down to those of torch.nn."""

    def iter(self, obj: Any) -> Iterator[Any]:
        # torch.split with a list of sizes gives as many maps as sizes.
        if obj.node.target is torch.split and isinstance(obj.node.args[1], list):
            numbers = range(len(obj.node.args[1]))
            return (operator.getitem(obj, number) for number in numbers)
        return iter(super().iter(obj))


class _Whole(fx.Tracer):
    """Traces statements as they are, where one cannot be looked into."""

    def __init__(self, statements: set[str]) -> None:
        super().__init__()
        self.statements = statements

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return _pattern(module_qualified_name, self.statements) is not None


def trace(model: Model, module: nn.Module) -> list[Traced]:
    """The traced nodes, equal iterations once, with folded paths."""
    paths = {one.path for one in occurrences(model)}
    try:
        graph = _Tracer().trace(module)
    except (fx.proxy.TraceError, TypeError):
        graph = _Whole(paths).trace(module)
    modules = dict(module.named_modules())
    kept: dict[tuple[str, int], Traced] = {}
    drawn: dict[fx.Node, str] = {}
    within: dict[str, int] = {}
    for node in graph.nodes:
        if node.op == "get_attr":
            continue
        owner = _owner(node)
        statement, first = _folded(owner, paths)
        place = _iteration(owner)
        number = within[place] = within.get(place, 0) + 1
        key = (_iteration(first), number)
        if place == _iteration(first):
            fed = [drawn[one] for one in node.all_input_nodes if one in drawn]
            inputs = tuple(dict.fromkeys(fed))
            words = _words(node, modules)
            kept[key] = Traced(node.name, node.op, words, statement, inputs)
        drawn[node] = kept[key].name if key in kept else node.name
    return list(kept.values())


def _owner(node: fx.Node) -> str:
    stack = node.meta.get("nn_module_stack") or {}
    owner = next(reversed(stack), "")
    return str(node.target) if node.op == "call_module" else str(owner)


def _iteration(path: str) -> str:
    """Up to the last index of a stack: where equal nodes are counted."""
    parts = path.split(".")
    while parts and not parts[-1].isdigit():
        parts.pop()
    return ".".join(parts)


def _folded(owner: str, paths: set[str]) -> tuple[str, str]:
    """The path of a statement or frame, and the owner in the first iteration."""
    parts = owner.split(".")
    folded: list[str] = []
    first: list[str] = []
    for part in parts:
        range_ = _range(".".join(folded), part, paths) if part.isdigit() else part
        folded.append(range_)
        first.append(range_.split("-")[0] if part.isdigit() else part)
    return ".".join(folded), ".".join(first)


def _range(prefix: str, index: str, paths: set[str]) -> str:
    """`0-35`, the run of a stack that an iteration belongs to."""
    for path in paths:
        if path.startswith(f"{prefix}."):
            run = path[len(prefix) + 1 :].split(".")[0]
            low, _, high = run.partition("-")
            if low.isdigit() and int(low) <= int(index) <= int(high or low):
                return run
    return index


def _pattern(path: str, paths: set[str]) -> str | None:
    folded, _ = _folded(path, paths)
    return folded if folded in paths else None


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
