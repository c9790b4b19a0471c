"""What a recipe changes about a model's blocks, leaving every name as it is."""

from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from s2mlp_dsl.train.errors import UsageError


def set_drop_path(model: nn.Module, rate: float) -> None:
    """Rates of stochastic depth, linear from 0 at the first branch to `rate`.

    The branches are the modules called DropPath, in the order of the model.
    Raises UsageError if the model has none and the rate is not 0.
    """
    branches = [m for m in model.modules() if type(m).__name__ == "DropPath"]
    if rate and not branches:
        raise UsageError(
            f"drop_path = {rate:g}, but the model has no residual branch to drop"
        )
    last = max(1, len(branches) - 1)
    for place, branch in enumerate(branches):
        share = place / last if len(branches) > 1 else 1.0
        setattr(branch, "p", rate * share)  # noqa: B010 - a class of any model's own


# Inductor's defaults time a single template with what stands behind a product in it.
AUTOTUNE: dict[str, Any] = {
    "max_autotune": True,
    "max_epilogue_benchmarked_choices": 4,
}


def compile_blocks(model: nn.Module, autotune: bool = False) -> None:
    """Compile each block for itself: equal ones share what the first one took.

    Blocks are the members of the model's outermost sequences; one without them is
    compiled as a whole. Comes before `checkpoint_activations`, which then keeps what
    enters compiled code. With `autotune` the compiler times kernels for the matrix
    products, and what it may fuse into them: minutes, once for each size.
    """
    options = AUTOTUNE if autotune else None
    blocks = outermost_blocks(model)
    for block in blocks:
        block.forward = torch.compile(block.forward, options=options)
    if not blocks:
        model.compile(options=options)


def set_dropout(model: nn.Module, rate: float) -> None:
    """The rate of dropout in every residual branch: the modules called Dropout.

    Raises UsageError if the model has none and the rate is not 0.
    """
    branches = [m for m in model.modules() if isinstance(m, nn.Dropout)]
    if rate and not branches:
        raise UsageError(
            f"dropout = {rate:g}, but the model has no residual branch to drop from"
        )
    for branch in branches:
        branch.p = rate


def checkpoint_activations(model: nn.Module) -> None:
    """Keep what enters each block, and compute the rest again going backward.

    Blocks are the members of the model's outermost sequences. Raises
    UsageError if it has none.
    """
    blocks = outermost_blocks(model)
    if not blocks:
        raise UsageError(
            "activation_checkpointing = on, but the model has no stack of blocks"
        )
    for block in blocks:
        forward = block.forward
        block.forward = partial(checkpoint, forward, use_reentrant=False)


def outermost_blocks(module: nn.Module) -> list[nn.Module]:
    """The members with weights of the outermost sequences; none without a sequence."""
    if isinstance(module, nn.Sequential):
        return [block for block in module if next(block.parameters(), None) is not None]
    return [block for child in module.children() for block in outermost_blocks(child)]
