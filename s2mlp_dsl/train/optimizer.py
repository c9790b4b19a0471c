"""AdamW and SGD, and their state as named tensors without any pickled object."""

from typing import Any

import torch
from torch import Tensor, nn

from s2mlp_dsl.ir.recipe import SGD, AdamW
from s2mlp_dsl.train.errors import EnvironmentFailure, UsageError

Named = list[tuple[str, nn.Parameter]]


def split_decay(model: nn.Module) -> tuple[Named, Named]:
    """The trained parameters: those that decay, and those that must not.

    Weight decay is for matrices and kernels. Vectors are biases and the scales
    of norms; pulling them to zero only fights the normalisation.
    """
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    if not named:
        raise UsageError("the model has no parameters to train")
    decayed = [(name, p) for name, p in named if p.ndim > 1]
    kept = [(name, p) for name, p in named if p.ndim <= 1]
    return decayed, kept


def build_optimizer(model: nn.Module, recipe: AdamW | SGD) -> torch.optim.Optimizer:
    """Two groups, decayed and not; the loop sets `lr` at each step."""
    decayed, kept = split_decay(model)
    groups = [
        {"params": [p for _, p in decayed], "weight_decay": recipe.weight_decay},
        {"params": [p for _, p in kept], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    fused = all(p.device.type in ("cpu", "cuda") for _, p in decayed + kept)
    match recipe:
        case AdamW():
            return torch.optim.AdamW(
                groups,
                lr=recipe.lr,
                betas=(recipe.beta1, recipe.beta2),
                eps=recipe.eps,
                fused=fused,
            )
        case SGD():
            return torch.optim.SGD(
                groups,
                lr=recipe.lr,
                momentum=recipe.momentum,
                nesterov=recipe.momentum > 0,
                fused=fused,
            )


def state_tensors(
    model: nn.Module, optimizer: torch.optim.Optimizer
) -> dict[str, Tensor]:
    """The optimizer's state as `PARAMETER/ENTRY` → tensor.

    Nothing else needs to be kept: the group's numbers come from the recipe.
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
    """Put back what `state_tensors` gave. Raises EnvironmentFailure."""
    own = {name: p for name, p in model.named_parameters() if p.requires_grad}
    states: dict[str, dict[str, Any]] = {}
    for key, tensor in tensors.items():
        name, _, entry = key.rpartition("/")
        states.setdefault(name, {})[entry] = tensor
    if set(states) - set(own):
        strange = ", ".join(sorted(set(states) - set(own))[:3])
        raise EnvironmentFailure(
            f"the optimizer's state is of another model: {strange}"
        )
    for name, state in states.items():
        # AdamW keeps its step counter on the CPU unless fused on a GPU.
        fused_there = own[name].device if own[name].is_cuda else torch.device("cpu")
        for entry, tensor in state.items():
            device = fused_there if entry == "step" else own[name].device
            optimizer.state[own[name]][entry] = tensor.to(device)
