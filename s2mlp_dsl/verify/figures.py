"""Figures: shapes and MACs of the traced graph, parameters of the module.

The graph runs on the device `meta` (no memory, no arithmetic), each node under
PyTorch's own FLOP counter.
"""

import copy
from collections import Counter
from math import prod
from typing import Any

import networkx as nx
import torch
from torch import fx, nn
from torch.utils.flop_counter import FlopCounterMode

from s2mlp_dsl.analysis.dataflow import dataflow
from s2mlp_dsl.ir.program import Model, Op
from s2mlp_dsl.lower.trace import trace
from s2mlp_dsl.operators import applied
from s2mlp_dsl.verify.certificate import Check, Failure, failure

BATCH = 2


def check_figures(model: Model, module: nn.Module) -> list[Check]:
    """Shapes, MACs and parameters of every statement."""
    graph = dataflow(model)
    ops = {path: op for path, op in graph.nodes(data="op") if op is not None}
    checks = (
        ("shapes", "shapes on the device meta equal the IR's"),
        ("macs", "FLOPs counted by PyTorch equal twice the IR's MACs"),
    )
    return [
        *(
            Check(
                name=name,
                what=what,
                evidence="proved",
                cases=len(ops),
                failures=tuple(failures),
            )
            for (name, what), failures in zip(
                checks, _shapes_and_macs(model, module, graph, ops), strict=True
            )
        ),
        _check_parameters(module, graph, ops),
    ]


def rows_of(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The same with all positions along one axis, as on a GPU (`lower/rows.py`)."""
    return prod(shape[:-1]), *shape[-1:]


class _Measured(fx.Interpreter):
    """Runs a graph and keeps the shape of each node's result, and its FLOPs."""

    def __init__(self, graph: fx.GraphModule, counter: FlopCounterMode) -> None:
        super().__init__(graph)
        self.counter = counter
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.flops: Counter[str] = Counter()

    def run_node(self, n: fx.Node) -> Any:
        before = self.counter.get_total_flops()
        result = super().run_node(n)
        if n.op not in ("placeholder", "output"):
            path = str(n.target)
            self.flops[path] += self.counter.get_total_flops() - before
            if n.op == "call_module":
                self.shapes[path] = tuple(result.shape)
        return result


def _shapes_and_macs(
    model: Model, module: nn.Module, graph: nx.DiGraph, ops: dict[str, Op]
) -> tuple[list[Failure], list[Failure]]:
    shapes: list[Failure] = []
    macs: list[Failure] = []
    try:
        counter = FlopCounterMode(display=False)
        with torch.no_grad(), torch.device("meta"):
            measured = _Measured(trace(_on_meta(module), model), counter)
            with counter:
                measured.run(torch.empty(BATCH, *model.input_size))
    except Exception as error:  # any error of a wrong module is the finding
        found = [failure(graph, model.name, f"it does not run: {error}")]
        return found, found
    for path, op in ops.items():
        shape, wanted = measured.shapes.get(path), (BATCH, *op.result.dims)
        if shape not in (wanted, rows_of(wanted)):
            shapes.append(failure(graph, path, f"its shape is {shape}, not {wanted}"))
        flops, expected = measured.flops[path], 2 * BATCH * applied(op).macs()
        if flops != expected:
            macs.append(failure(graph, path, f"{flops} FLOPs, not {expected}"))
    macs += [
        failure(graph, path, f"{flops} FLOPs that belong to no statement")
        for path, flops in measured.flops.items()
        if flops and path not in ops
    ]
    return shapes, macs


def _on_meta(module: nn.Module) -> nn.Module:
    """A copy without data: `deepcopy` takes the tensors from its memo."""
    memo: dict[int, Any] = {
        id(one): nn.Parameter(one.to("meta"), one.requires_grad)
        for one in module.parameters()
    }
    memo |= {id(one): one.to("meta") for one in module.buffers()}
    return copy.deepcopy(module, memo)


def _check_parameters(
    module: nn.Module, graph: nx.DiGraph, ops: dict[str, Op]
) -> Check:
    """Names and shapes of all stored tensors; nothing more, nothing less."""
    trainable = {
        name: tuple(tensor.shape)
        for name, tensor in module.named_parameters()
        if tensor.requires_grad
    }
    state = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    left = state.keys() | trainable.keys()
    failures, cases = [], 0
    for path, op in ops.items():
        operator = applied(op)
        wanted = {name: (shape, True) for name, shape in operator.tensors().items()}
        wanted |= {
            name: (buffer.shape, False) for name, buffer in operator.buffers().items()
        }
        for name, (shape, trained) in wanted.items():
            cases += 1
            key = f"{path}.{name}"
            found: object = state.get(key, "missing")
            if trained != (key in trainable) and found != "missing":
                found = "not trainable" if trained else "trainable"
            if found != shape:
                failures.append(failure(graph, path, f"{name} is {found}, not {shape}"))
            left.discard(key)
    failures += [
        failure(graph, name, "belongs to no statement") for name in sorted(left)
    ]
    return Check(
        name="parameters",
        what="names and shapes of stored tensors equal the IR's",
        evidence="proved",
        cases=cases,
        failures=tuple(failures),
    )
