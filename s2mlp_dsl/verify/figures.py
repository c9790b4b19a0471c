"""Figures: shapes and MACs of the traced graph, parameters of the module.

The graph runs on fake tensors (no memory, no arithmetic), each node under
PyTorch's own FLOP counter.
"""

from typing import Any

import torch
from torch import fx, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from s2mlp_dsl.analysis.cost import tensors_of
from s2mlp_dsl.analysis.graph import dataflow
from s2mlp_dsl.ir.program import Model, Op
from s2mlp_dsl.ops import OPERATORS, Args
from s2mlp_dsl.verify.certificate import Check, Failure
from s2mlp_dsl.verify.structure import trace

BATCH = 2


class Measured(fx.Interpreter):
    """Runs a graph and keeps, per module, the shape it leaves and its FLOPs."""

    def __init__(self, graph: fx.GraphModule) -> None:
        super().__init__(graph)
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.flops: dict[str, int] = {}

    def call_module(self, target: Any, args: Any, kwargs: Any) -> Any:
        with FlopCounterMode(display=False) as counter:
            result = super().call_module(target, args, kwargs)
        self.shapes[str(target)] = tuple(result.shape)
        self.flops[str(target)] = counter.get_total_flops()
        return result


def check_figures(model: Model, module: nn.Module) -> list[Check]:
    """Shapes, parameters and MACs of every statement."""
    ops = {path: op for path, op in dataflow(model).nodes(data="op") if op is not None}
    return [*_on_fake_tensors(model, module, ops), _parameters(module, ops)]


def _on_fake_tensors(
    model: Model, module: nn.Module, ops: dict[str, Op]
) -> tuple[Check, Check]:
    image = model.input.result
    assert image.kind == "map"
    shapes: list[Failure] = []
    macs: list[Failure] = []
    try:
        measured = Measured(trace(module, model))
        with FakeTensorMode(allow_non_fake_inputs=True), torch.no_grad():
            measured.run(torch.empty(BATCH, image.channels, image.height, image.width))
    except Exception as error:  # whatever a wrong module raises is the finding
        failure = Failure(statement=model.name, message=f"it does not run: {error}")
        shapes.append(failure)
        macs.append(failure)
        ops = {}
    for path, op in ops.items():
        shape, wanted = measured.shapes.get(path), (BATCH, *op.result.dims)
        if shape != wanted:
            shapes.append(_failure(path, op, f"leaves {shape}, not {wanted}"))
        count = OPERATORS[op.operator].macs(op.source, Args(dict(op.args)))
        flops = measured.flops.get(path)
        if flops != 2 * count * BATCH:
            macs.append(_failure(path, op, f"{flops} FLOPs, not {2 * count * BATCH}"))
    total = max(len(ops), 1)
    return (
        Check(
            name="shapes",
            what="shapes on fake tensors equal the IR's",
            cases=total,
            failures=tuple(shapes),
        ),
        Check(
            name="macs",
            what="FLOPs counted by PyTorch equal twice the IR's MACs",
            cases=total,
            failures=tuple(macs),
        ),
    )


def _parameters(module: nn.Module, ops: dict[str, Op]) -> Check:
    """Names and shapes of all trainable tensors; nothing more, nothing less."""
    found: dict[str, tuple[int, ...]] = {
        name: tuple(tensor.shape)
        for name, tensor in module.named_parameters()
        if tensor.requires_grad
    }
    failures, cases = [], 0
    for path, op in ops.items():
        for name, shape in tensors_of(op).items():
            cases += 1
            key = f"{path}.{name}"
            has = found.pop(key, None)
            if has != shape:
                failures.append(_failure(key, op, f"is {has}, not {shape}"))
    failures += [
        Failure(statement=name, message=f"{shape} belongs to no statement")
        for name, shape in found.items()
    ]
    return Check(
        name="parameters",
        what="names and shapes of trainable tensors equal the IR's",
        cases=max(cases, 1),
        failures=tuple(failures),
    )


def _failure(path: str, op: Op, message: str) -> Failure:
    return Failure(statement=path, message=message, span=op.span)
