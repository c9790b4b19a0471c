"""Where a run computes, in which precision, and how strictly."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from s2mlp_dsl.ir.recipe import Precision
from s2mlp_dsl.train.copies import lent_copies
from s2mlp_dsl.train.errors import EnvironmentFailure, UsageError
from s2mlp_dsl.train.world import rank_of_environment

Resolved = Literal["fp32", "tf32", "bf16", "bf16_weights", "fp16"]
_AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Place:
    """A device and the precision of the forward pass there."""

    device: torch.device
    precision: Resolved

    def lent(self, model: nn.Module) -> AbstractContextManager[object]:
        """What the model's passes, forward and back, must happen in.

        With `bf16_weights` the model has bf16 copies of its weights meanwhile.
        """
        if self.precision == "bf16_weights":
            return lent_copies(model, torch.bfloat16)
        return nullcontext()

    def forward(self, model: nn.Module, images_BCHW: Tensor) -> Tensor:
        """What the model answers, computed in the precision, to float32 images.

        With `bf16` and `fp16` matrix products alone are computed in it: autocast.
        """
        if self.precision == "bf16_weights":
            images_BCHW = images_BCHW.bfloat16()
        dtype = _AUTOCAST.get(self.precision)
        with (
            nullcontext() if dtype is None else torch.autocast(self.device.type, dtype)
        ):
            answer: Tensor = model(images_BCHW)
        return answer

    @contextmanager
    def numerics(self, deterministic: bool) -> Iterator[None]:
        """PyTorch's global switches for this run, put back afterwards."""
        matmul = torch.get_float32_matmul_precision()
        cudnn, strict = (
            torch.backends.cudnn,
            torch.are_deterministic_algorithms_enabled(),
        )
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


def choose_place(device: str | None, precision: Precision) -> Place:
    """The device by name, or a GPU if there is one, else the CPU.

    Under torchrun, each process of a machine takes the GPU of its local rank.
    Raises UsageError for a name torch does not know, EnvironmentFailure for a device
    this machine does not have or that cannot compute in the precision.
    """
    chosen = _device(device)
    on_gpu = chosen.type == "cuda"
    bf16 = chosen.type == "cpu" or (
        on_gpu and torch.cuda.is_bf16_supported(including_emulation=False)
    )
    if precision in ("bf16", "bf16_weights") and not bf16:
        raise EnvironmentFailure(
            f"the device {chosen} has no bf16; use precision = fp32"
        )
    if precision == "tf32" and not (
        on_gpu and torch.cuda.get_device_capability(chosen) >= (8, 0)
    ):
        raise EnvironmentFailure(
            f"the device {chosen} has no tf32, which NVIDIA GPUs since Ampere have; "
            "use precision = fp32"
        )
    if precision == "auto":
        precision = "bf16" if bf16 and on_gpu else "fp32"
    return Place(chosen, precision)


def _device(name: str | None) -> torch.device:
    _, size, local = rank_of_environment()
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"{name!r} is not a device; try cpu or cuda") from error
    if size > 1 and device.type == "cuda":
        if device.index is not None:
            raise UsageError(
                f"{name!r} would put every process on one GPU; say cuda, and each "
                "takes the one of its local rank"
            )
        device = torch.device("cuda", local)
    try:
        torch.empty(1, device=device).add_(1)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise EnvironmentFailure(
            f"the device {device} cannot be used here: {reason}"
        ) from error
    return device
