"""The device of a run, the precision of its passes, and PyTorch's switches.

`bf16_weights` is mixed precision with float32 master weights (Micikevicius et al. 2018,
section 3.1): what the optimizer, checkpoints and averages see stays float32; what the
passes see are copies, through which gradients come back to the masters.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from s2mlp_dsl.errors import EnvironmentFailure, UsageError
from s2mlp_dsl.recipe import Precision
from s2mlp_dsl.train.distributed import rank_of_environment
from s2mlp_dsl.train.model import outermost_blocks

ResolvedPrecision = Literal["fp32", "tf32", "bf16", "bf16_weights", "fp16"]
_AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Accelerator:
    """A device and the precision of the passes there."""

    device: torch.device
    precision: ResolvedPrecision

    def weights(self, model: nn.Module) -> AbstractContextManager[object]:
        """A context for the model's passes, forward and backward.

        With `bf16_weights` the model has bf16 copies of its weights meanwhile.
        """
        if self.precision == "bf16_weights":
            return low_precision_copies(model, torch.bfloat16)
        return nullcontext()

    def forward(self, model: nn.Module, images_BCHW: Tensor) -> Tensor:
        """The model's logits for float32 images; `bf16` and `fp16` use autocast."""
        if self.precision == "bf16_weights":
            images_BCHW = images_BCHW.bfloat16()
        dtype = _AUTOCAST.get(self.precision)
        with (
            nullcontext() if dtype is None else torch.autocast(self.device.type, dtype)
        ):
            logits_BK: Tensor = model(images_BCHW)
        return logits_BK

    def synchronize(self) -> None:
        """Wait until the device has finished all queued work."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def peak_memory(self) -> int | None:
        """Peak memory in bytes: of the GPU, or without one of this process."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device)
        return process_peak()

    @contextmanager
    def numerics(self, deterministic: bool) -> Iterator[None]:
        """Set PyTorch's global switches for a run, and restore them afterwards."""
        matmul = torch.get_float32_matmul_precision()
        cudnn = torch.backends.cudnn
        strict = torch.are_deterministic_algorithms_enabled()
        warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
        before = (cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark)
        tf32 = self.precision == "tf32"
        torch.set_float32_matmul_precision("high" if tf32 else "highest")
        cudnn.allow_tf32 = tf32
        if deterministic:
            # cuBLAS reads this when it first starts.
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
            torch.use_deterministic_algorithms(True)
            cudnn.deterministic, cudnn.benchmark = True, False
        try:
            yield
        finally:
            torch.set_float32_matmul_precision(matmul)
            cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark = before
            torch.use_deterministic_algorithms(strict, warn_only=warn_only)


def process_peak() -> int | None:
    """The peak of this process's resident set in bytes; None on Windows."""
    if sys.platform == "win32":  # the standard library has no counterpart there
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def choose_accelerator(device: str | None, precision: Precision) -> Accelerator:
    """The named device, or a GPU if there is one, else the CPU.

    Under torchrun, each process of a machine takes the GPU of its local rank.
    Raises UsageError for a name torch does not know, EnvironmentFailure for a device
    that this machine does not have or that cannot compute in the precision.
    """
    chosen = _device(device)
    on_gpu = chosen.type == "cuda"
    bf16 = chosen.type == "cpu" or (
        on_gpu and torch.cuda.is_bf16_supported(including_emulation=False)
    )
    if precision in ("bf16", "bf16_weights") and not bf16:
        raise EnvironmentFailure(f"{chosen} has no bf16; use precision = fp32")
    if precision == "tf32" and not (
        on_gpu and torch.cuda.get_device_capability(chosen) >= (8, 0)
    ):
        raise EnvironmentFailure(
            f"{chosen} has no tf32, which NVIDIA GPUs have since Ampere; use "
            "precision = fp32"
        )
    if precision == "auto":
        precision = "bf16" if bf16 and on_gpu else "fp32"
    return Accelerator(chosen, precision)


def _device(name: str | None) -> torch.device:
    _, world_size, local_rank = rank_of_environment()
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"{name!r} is not a device; try cpu or cuda") from error
    if world_size > 1 and device.type == "cuda":
        if device.index is not None:
            raise UsageError(
                f"{name!r} would put every process on one GPU; with cuda, each takes "
                "the GPU of its local rank"
            )
        device = torch.device("cuda", local_rank)
    try:
        torch.empty(1, device=device).add_(1)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise EnvironmentFailure(f"{device} cannot be used here: {reason}") from error
    return device


@contextmanager
def low_precision_copies(model: nn.Module, dtype: torch.dtype) -> Iterator[None]:
    """Give the model `dtype` copies of its float32 tensors while the block runs.

    It must last until the backward pass is over: gradient checkpointing recomputes
    parts of the forward pass there. That is why tensors are swapped in the private
    `_parameters` and `_buffers`: `torch.func.functional_call` puts the masters
    back when the forward pass ends, and a parametrization casts each tensor by itself
    at each access. Norms with running statistics stay float32: a mean over many
    batches moves by less than a bf16 step.
    """
    swapped: list[tuple[dict[str, Any], str, Tensor]] = []
    copies: dict[int, Tensor] = {}
    for unit in (*outermost_blocks(model), model):
        tensors = list(_float32_tensors(unit))
        # A unit's copies are one node of autograd: few kernels on a GPU, and ranks
        # exchange its gradients while those of earlier units are still computed.
        new = {id(t): t for _, _, t in tensors if id(t) not in copies}
        if new:
            made = _Copy.apply(dtype, *new.values())
            copies.update(zip(new, made, strict=True))
        swapped += tensors
    try:
        for owner, name, master in swapped:
            owner[name] = copies[id(master)]
        yield
    finally:
        for owner, name, master in swapped:
            owner[name] = master


def _float32_tensors(unit: nn.Module) -> Iterator[tuple[dict[str, Any], str, Tensor]]:
    for module in unit.modules():
        if getattr(module, "track_running_stats", False):
            continue
        for owner in (module._parameters, module._buffers):
            for name, tensor in owner.items():
                if tensor is not None and tensor.dtype == torch.float32:
                    yield owner, name, tensor


class _Copy(torch.autograd.Function):
    """Tensors in another type, all at once; gradients in the type of the tensors."""

    @staticmethod
    def forward(ctx: Any, dtype: torch.dtype, *masters: Tensor) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        copies = _cast(dtype, masters)
        fixed = (not master.requires_grad for master in masters)
        pairs = zip(copies, fixed, strict=True)
        ctx.mark_non_differentiable(*(copy for copy, is_fixed in pairs if is_fixed))
        return copies

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        given = [gradient for gradient in gradients if gradient is not None]
        back = iter(_cast(torch.float32, given))
        return None, *(None if one is None else next(back) for one in gradients)


def _cast(
    dtype: torch.dtype, tensors: list[Tensor] | tuple[Tensor, ...]
) -> tuple[Tensor, ...]:
    copies = [torch.empty_like(tensor, dtype=dtype) for tensor in tensors]
    # Private, but what torch.optim uses: one kernel, where `copy_` takes one a tensor.
    torch._foreach_copy_(copies, list(tensors))
    return tuple(copies)
