"""Which statement a form gets wrong: each is tried alone."""

import numpy as np
import torch
from torch import Tensor, nn

from s2mlp_dsl.analysis.cost import buffers_of, tensors_of
from s2mlp_dsl.analysis.graph import dataflow
from s2mlp_dsl.emit.export import decomposed, quiet
from s2mlp_dsl.ir.program import Model, Op
from s2mlp_dsl.ops import OPERATORS, Args
from s2mlp_dsl.verify.forms import Run

TOLERANCE = 1e-4  # of the largest value, float32


def first_wrong(model: Model, name: str, net: nn.Module) -> tuple[str, str] | None:
    """The first statement whose module is wrong in a form, and how.

    Of equal statements the first is tried. None where each is right alone, or
    the form has no single statements.
    """
    tried = set()
    graph = dataflow(model)
    for path, op in graph.nodes(data="op"):
        if op is None or len(graph.nodes[path]["fed"]) > 1:
            continue  # what joins branches takes several maps
        if (op.operator, op.args, op.source) in tried:
            continue
        tried.add((op.operator, op.args, op.source))
        message = _wrong(op, name, net.get_submodule(path))
        if message:
            return path, message
    return None


def _wrong(op: Op, name: str, part: nn.Module) -> str | None:
    x, fed = _input(op)
    weights = part.state_dict()
    args = Args(dict(op.args))
    stored = [*tensors_of(op), *buffers_of(op)]
    tensors = {key: weights[key].double().numpy() for key in stored}
    wanted = torch.from_numpy(OPERATORS[op.operator].reference(x, args, tensors))
    try:
        with torch.no_grad():
            y = _alone(name, part, fed)(fed)
    except Exception as error:  # whatever a wrong module raises is the finding
        return f"it does not run: {str(error).strip().splitlines()[0]}"
    if y.shape != wanted.shape:
        return f"{tuple(y.shape)} leaves, not {tuple(wanted.shape)}"
    off = (y.double() - wanted).abs()
    relative = float(off.max() / wanted.abs().max().clamp_min(1e-30))
    if relative <= TOLERANCE:
        return None
    wrong = int((off > TOLERANCE * wanted.abs().max()).sum())
    return f"alone, {wrong} of {wanted.numel()} values are off, by up to {relative:.3g}"


def _input(op: Op) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float64]], Tensor]:
    """A random batch as the reference takes it, and as the module does."""
    dims = (op.source or op.result).dims
    x = np.random.default_rng(3).standard_normal((2, *dims))
    if op.source is None:  # the image comes in with its channels first
        x = np.moveaxis(x, -1, 1)
    return x, torch.from_numpy(x.copy()).float()


def _alone(name: str, part: nn.Module, x: Tensor) -> Run:
    match name:
        case "compile":
            torch.compiler.reset()
            compiled: Run = torch.compile(part, dynamic=False)
            return compiled
        case "export" | "decomposed" | "onnx":
            with quiet():
                made = torch.export.export(part, (x,), strict=False)
            if name != "export":
                made = decomposed(made)
            module: Run = made.module()
            return module
    return part
