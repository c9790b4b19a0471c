"""The optimizer and the averaged weights, and their state as named tensors."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from s2mlp_dsl.errors import EnvironmentFailure, UsageError
from s2mlp_dsl.recipe.contracts import Optimizer

Named = list[tuple[str, nn.Parameter]]


def split_decay(model: nn.Module) -> tuple[Named, Named]:
    """The trained parameters: those that decay, and those that do not.

    Weight decay is for matrices and kernels. Vectors are biases and scales of
    norms; pulling those to zero only works against the normalisation.
    """
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    if not named:
        raise UsageError("the model has no parameters to train")
    decayed = [(name, p) for name, p in named if p.ndim > 1]
    kept = [(name, p) for name, p in named if p.ndim <= 1]
    return decayed, kept


def build_optimizer(model: nn.Module, chosen: Optimizer) -> torch.optim.Optimizer:
    """The optimizer with two groups, with and without weight decay.

    `lr` is set at each step.
    """
    decayed, kept = split_decay(model)
    groups: list[dict[str, Any]] = [
        {"params": [p for _, p in decayed], "weight_decay": chosen.weight_decay},
        {"params": [p for _, p in kept], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    fused = all(p.device.type in ("cpu", "cuda") for _, p in decayed + kept)
    return chosen.build(groups, fused)


def state_tensors(
    model: nn.Module, optimizer: torch.optim.Optimizer
) -> dict[str, Tensor]:
    """The optimizer's state as `PARAMETER/ENTRY` → tensor.

    The settings of the groups are not included: they come from the recipe.
    """
    named = {id(p): name for name, p in model.named_parameters()}
    return {
        f"{named[id(p)]}/{entry}": value
        for p, state in optimizer.state.items()
        for entry, value in state.items()
        if value is not None  # SGD without momentum
    }


def load_state_tensors(
    model: nn.Module, optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]
) -> None:
    """Load what `state_tensors` returned. Raises EnvironmentFailure."""
    own = {name: p for name, p in model.named_parameters() if p.requires_grad}
    states: dict[str, dict[str, Any]] = {}
    for key, tensor in tensors.items():
        name, _, entry = key.rpartition("/")
        states.setdefault(name, {})[entry] = tensor
    if unknown := sorted(states.keys() - own.keys()):
        raise EnvironmentFailure(
            f"the optimizer's state is of another model: {', '.join(unknown[:3])}"
        )
    for name, state in states.items():
        # AdamW keeps its step counter on the CPU unless fused on a GPU.
        fused_there = own[name].device if own[name].is_cuda else torch.device("cpu")
        for entry, tensor in state.items():
            device = fused_there if entry == "step" else own[name].device
            optimizer.state[own[name]][entry] = tensor.to(device)


class EMA:
    """An exponential moving average of the trained weights, in float32.

    Not `swa_utils.AveragedModel`, which deep-copies the model: the copy of a block with
    a compiled `forward` still computes with the weights of the original. Here an
    evaluation swaps the tensors in.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.live = {n: p for n, p in model.named_parameters() if p.requires_grad}
        self.averaged = {n: p.detach().clone() for n, p in self.live.items()}

    def update(self, step: int) -> None:
        """Average after step 0, 1, …; fast at first, to forget the initial weights."""
        decay = min(self.decay, (1 + step) / (10 + step))
        update = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        update(list(self.averaged.values()), list(self.live.values()), step)

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Load the averages of a checkpoint."""
        if tensors.keys() != self.averaged.keys():
            raise EnvironmentFailure("the averaged weights are of another model")
        for name, tensor in tensors.items():
            self.averaged[name].copy_(tensor)

    @contextmanager
    def swapped_in(self) -> Iterator[None]:
        """The model has the averaged weights while the block runs."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def copy_to_model(self) -> None:
        """Copy the averaged weights into the model."""
        for name, live in self.live.items():
            live.copy_(self.averaged[name])

    def _swap(self) -> None:
        for name, live in self.live.items():
            live.data, self.averaged[name] = self.averaged[name], live.data
