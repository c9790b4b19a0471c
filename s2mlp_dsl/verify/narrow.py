"""Which statement a form gets wrong: each is tried alone."""

import numpy as np
import torch
from torch import Tensor, nn

from s2mlp_dsl.analysis.cost import buffers_of, tensors_of
from s2mlp_dsl.analysis.dataflow import dataflow, distinct_statements
from s2mlp_dsl.ir.program import Model, Op
from s2mlp_dsl.lower.export import decomposed, quiet
from s2mlp_dsl.verify.forms import Run
from s2mlp_dsl.verify.reference import reference_of


def first_wrong(
    model: Model, name: str, net: nn.Module, tolerance: float
) -> tuple[str, str] | None:
    """The first statement whose module is wrong in a form, and how.

    They run in the mode and the numbers of `net`; errors are of the largest value.
    Of equal statements the first is tried. None where each is right alone, or
    the form has no single statements.
    """
    for path, op in distinct_statements(dataflow(model)):
        message = _wrong(op, name, net.get_submodule(path), tolerance)
        if message:
            return path, message
    return None


def _wrong(op: Op, name: str, part: nn.Module, tolerance: float) -> str | None:
    stored = [*tensors_of(op), *buffers_of(op)]
    state = part.state_dict()
    kinds = (one.dtype for one in state.values() if one.is_floating_point())
    fed = _input(op).to(next(kinds, torch.float32))
    tensors = {key: state[key].double().numpy() for key in stored}
    x = fed.double().numpy()
    wanted, changed = reference_of(op, x, tensors, training=part.training)
    try:
        with torch.no_grad():
            y = _alone(name, part, fed)(fed)
    except Exception as error:  # whatever a wrong module raises is the finding
        return f"it does not run: {str(error).strip().splitlines()[0]}"
    if y.shape != wanted.shape:
        return f"{tuple(y.shape)} leaves, not {tuple(wanted.shape)}"
    message = _off(y, torch.from_numpy(wanted), tolerance)
    if message:
        return f"alone, {message}"
    for key, value in changed.items():
        message = _off(part.state_dict()[key], torch.as_tensor(value), tolerance)
        if message:
            return f"alone, {key} after a step: {message}"
    return None


def _off(found: Tensor, wanted: Tensor, tolerance: float) -> str | None:
    off, largest = (found.double() - wanted).abs(), wanted.abs().max()
    relative = float(off.max() / largest.clamp_min(1e-30))
    if relative <= tolerance:
        return None
    wrong = int((off > tolerance * largest).sum())
    return f"{wrong} of {wanted.numel()} values are off, by up to {relative:.3g}"


def _input(op: Op) -> Tensor:
    """A random batch as the module takes it."""
    dims = (op.source or op.result).dims
    x = torch.from_numpy(np.random.default_rng(3).standard_normal((2, *dims)))
    # The image comes in with its channels first.
    return x if op.source is not None else x.movedim(-1, 1)


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
