"""A model's weights in a lower precision, lent to it for a forward and backward pass.

Mixed precision with float32 master weights (Micikevicius et al. 2018, section 3.1):
what the optimizer, checkpoints and averages see stays float32; what the passes see
are copies, through which gradients come back to the masters.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from s2mlp_dsl.train.blocks import outermost_blocks

Slot = tuple[dict[str, Any], str]  # of a module: its parameters or buffers, and a name


@contextmanager
def lent_copies(model: nn.Module, dtype: torch.dtype) -> Iterator[None]:
    """While it lasts, the model has `dtype` copies of its float32 tensors.

    It must last until the backward pass is over: activation checkpointing computes
    parts of the forward pass again there. Norms that keep statistics of batches stay
    float32: a mean over many batches moves by less than a bf16 step.
    """
    taken: list[tuple[Slot, Tensor]] = []
    copies: dict[int, Tensor] = {}
    for unit in (*outermost_blocks(model), model):
        slots = list(_slots(unit))
        # A unit's copies are one step of autograd: few kernels on a GPU, and ranks
        # exchange its gradients while those before it are still computed.
        new = {id(t): t for _, t in slots if id(t) not in copies}
        if new:
            made = _Copy.apply(dtype, *new.values())
            copies.update(zip(new, made, strict=True))
        taken += slots
    try:
        for (home, name), master in taken:
            home[name] = copies[id(master)]
        yield
    finally:
        for (home, name), master in taken:
            home[name] = master


def _slots(unit: nn.Module) -> Iterator[tuple[Slot, Tensor]]:
    for module in unit.modules():
        if isinstance(module, _NormBase) and module.track_running_stats:
            continue
        for home in (module._parameters, module._buffers):
            for name, tensor in home.items():
                if tensor is not None and tensor.dtype == torch.float32:
                    yield (home, name), tensor


class _Copy(torch.autograd.Function):
    """Tensors in another type, all at once; gradients in the type of the tensors."""

    @staticmethod
    def forward(ctx: Any, dtype: torch.dtype, *masters: Tensor) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        copies = _as(dtype, masters)
        fixed = (not master.requires_grad for master in masters)
        pairs = zip(copies, fixed, strict=True)
        ctx.mark_non_differentiable(*(copy for copy, is_fixed in pairs if is_fixed))
        return copies

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        given = [gradient for gradient in gradients if gradient is not None]
        back = iter(_as(torch.float32, given))
        return None, *(None if one is None else next(back) for one in gradients)


def _as(
    dtype: torch.dtype, tensors: list[Tensor] | tuple[Tensor, ...]
) -> tuple[Tensor, ...]:
    copies = [torch.empty_like(tensor, dtype=dtype) for tensor in tensors]
    torch._foreach_copy_(copies, list(tensors))
    return tuple(copies)
