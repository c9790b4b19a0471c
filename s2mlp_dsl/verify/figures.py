"""Figures: shapes and MACs of the traced graph, parameters of the module.

The graph runs on fake tensors (no memory, no arithmetic), each node under
PyTorch's own FLOP counter.
"""

from collections import Counter
from math import prod
from typing import Any

import torch
from torch import fx, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from s2mlp_dsl.analysis.cost import buffers_of, tensors_of
from s2mlp_dsl.analysis.dataflow import dataflow
from s2mlp_dsl.ir.program import Model, Op
from s2mlp_dsl.lower.trace import trace
from s2mlp_dsl.operators import applied
from s2mlp_dsl.verify.certificate import Check, Failure

BATCH = 2


class Measured(fx.Interpreter):
    """Runs a graph and keeps, per node, the shape it leaves and its FLOPs."""

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


def in_rows(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The same with all positions in one axis, as a GPU gets it (`lower/rows.py`)."""
    return prod(shape[:-1]), *shape[-1:]


def check_figures(model: Model, module: nn.Module) -> list[Check]:
    """Shapes, parameters and MACs of every statement."""
    ops = {path: op for path, op in dataflow(model).nodes(data="op") if op is not None}
    return [*_on_fake_tensors(model, module, ops), _parameters(module, ops)]


def _on_fake_tensors(
    model: Model, module: nn.Module, ops: dict[str, Op]
) -> tuple[Check, Check]:
    shapes: list[Failure] = []
    macs: list[Failure] = []
    try:
        counter = FlopCounterMode(display=False)
        measured = Measured(trace(module, model), counter)
        with FakeTensorMode(allow_non_fake_inputs=True), torch.no_grad(), counter:
            measured.run(torch.empty(BATCH, *model.input_size))
    except Exception as error:  # whatever a wrong module raises is the finding
        failure = Failure(statement=model.name, message=f"it does not run: {error}")
        shapes.append(failure)
        macs.append(failure)
    else:
        for path, op in ops.items():
            shape, wanted = measured.shapes.get(path), (BATCH, *op.result.dims)
            if shape not in (wanted, in_rows(wanted)):
                shapes.append(_failure(path, op, f"leaves {shape}, not {wanted}"))
            count = applied(op).macs()
            flops = measured.flops[path]
            if flops != 2 * count * BATCH:
                message = f"{flops} FLOPs, not {2 * count * BATCH}"
                macs.append(_failure(path, op, message))
        for path, flops in measured.flops.items():
            if flops and path not in ops:
                message = f"{flops} FLOPs that belong to no statement"
                macs.append(Failure(statement=path, message=message))
    return (
        Check(
            name="shapes",
            what="shapes on fake tensors equal the IR's",
            cases=len(ops),
            failures=tuple(shapes),
        ),
        Check(
            name="macs",
            what="FLOPs counted by PyTorch equal twice the IR's MACs",
            cases=len(ops),
            failures=tuple(macs),
        ),
    )


def _parameters(module: nn.Module, ops: dict[str, Op]) -> Check:
    """Names and shapes of all stored tensors; nothing more, nothing less."""
    trainable = {
        name: tuple(tensor.shape)
        for name, tensor in module.named_parameters()
        if tensor.requires_grad
    }
    state = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    stored = state.keys() | trainable.keys()
    failures, cases = [], 0
    for path, op in ops.items():
        for name, shape in tensors_of(op).items():
            cases += 1
            key = f"{path}.{name}"
            has = trainable.get(key, "not trainable" if key in stored else "missing")
            if has != shape:
                failures.append(_failure(path, op, f"{name} is {has}, not {shape}"))
            stored.discard(key)
        for name, buffer in buffers_of(op).items():
            cases += 1
            key = f"{path}.{name}"
            has = "trainable" if key in trainable else state.get(key, "missing")
            if has != buffer.shape:
                message = f"{name} is {has}, not {buffer.shape}"
                failures.append(_failure(path, op, message))
            stored.discard(key)
    failures += [
        Failure(statement=name, message="belongs to no statement")
        for name in sorted(stored)
    ]
    return Check(
        name="parameters",
        what="names and shapes of stored tensors equal the IR's",
        cases=cases,
        failures=tuple(failures),
    )


def _failure(path: str, op: Op, message: str) -> Failure:
    return Failure(statement=path, message=message, span=op.span)
