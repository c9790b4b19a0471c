"""Which statement a backend gets wrong: each is tried alone."""

import numpy as np
import torch
from torch import Tensor, nn

from s2mlp_dsl.analysis.dataflow import dataflow, distinct_statements
from s2mlp_dsl.ir.program import Model, Op
from s2mlp_dsl.operators import applied
from s2mlp_dsl.verify.backends import Backend
from s2mlp_dsl.verify.reference import reference_of
from s2mlp_dsl.verify.trials import BackendFailed


def first_wrong(
    model: Model, backend: Backend, net: nn.Module, tolerance: float
) -> tuple[str, str] | None:
    """The first statement whose module is wrong in a backend, and how.

    They run in the mode and the dtype of `net`; errors are relative to the largest
    value. Of equal statements the first is tried. None where each is right alone.
    """
    for path, op in distinct_statements(dataflow(model)):
        message = _wrong(op, backend, net.get_submodule(path), tolerance)
        if message:
            return path, message
    return None


def _wrong(op: Op, backend: Backend, part: nn.Module, tolerance: float) -> str | None:
    operator, state = applied(op), part.state_dict()
    dtypes = (one.dtype for one in state.values() if one.is_floating_point())
    x = _input(op).to(next(dtypes, torch.float32))
    stored = (*operator.tensors(), *operator.buffers())
    tensors = {key: state[key].double().cpu().numpy() for key in stored}
    wanted, changed = reference_of(
        op, x.double().numpy(), tensors, training=part.training
    )
    try:
        with torch.no_grad(), backend.settings():
            given = x.to(backend.device)
            y = backend.load_part(part, given)(given).cpu()
    except Exception as error:  # any error of a wrong backend is the finding
        return f"it does not run: {BackendFailed.of(error)}"
    if y.shape != wanted.shape:
        return f"its shape is {tuple(y.shape)}, not {wanted.shape}"
    message = _difference(y, torch.from_numpy(wanted), tolerance)
    if message:
        return f"alone, {message}"
    for key, value in changed.items():
        buffer = part.state_dict()[key].cpu()
        message = _difference(buffer, torch.as_tensor(value), tolerance)
        if message:
            return f"alone, {key} after a step: {message}"
    return None


def _difference(found: Tensor, wanted: Tensor, tolerance: float) -> str | None:
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
    # The image has its channels first.
    return x if op.source is not None else x.movedim(-1, 1)
