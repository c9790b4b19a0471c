"""Where a run computes, and in which precision."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal

import torch

from s2mlp_dsl.train.errors import UsageError, WorldError


@dataclass(frozen=True)
class Place:
    """A device and the precision of the forward pass there."""

    device: torch.device
    precision: Literal["fp32", "bf16"]

    def autocast(self) -> AbstractContextManager[object]:
        """Weights stay fp32; with bf16 the matrix products are computed in it."""
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)


def choose_place(
    device: str | None, precision: Literal["auto", "fp32", "bf16"]
) -> Place:
    """The device by name, or a GPU if there is one, else the CPU.

    Raises UsageError for a name torch does not know, WorldError for a device
    this machine does not have or that cannot compute in bf16.
    """
    chosen = _device(device)
    fits = chosen.type == "cpu" or (
        chosen.type == "cuda"
        and torch.cuda.is_bf16_supported(including_emulation=False)
    )
    if precision == "bf16" and not fits:
        raise WorldError(f"the device {chosen} has no bf16; use precision = fp32")
    if precision == "auto":
        precision = "bf16" if fits and chosen.type == "cuda" else "fp32"
    return Place(chosen, precision)


def _device(name: str | None) -> torch.device:
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"{name!r} is not a device; try cpu or cuda") from error
    try:
        torch.empty(1, device=device).add_(1)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WorldError(f"the device {name} cannot be used here: {reason}") from error
    return device
