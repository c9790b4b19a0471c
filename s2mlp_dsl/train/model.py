"""What a recipe changes about a model: initial weights, dropout, compiled blocks.

Names of weights stay as they are.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.utils.checkpoint import checkpoint

from s2mlp_dsl.data.seeds import derive
from s2mlp_dsl.errors import UsageError
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.ir.walk import occurrences, ops_in
from s2mlp_dsl.recipe import Recipe
from s2mlp_dsl.recipe.contracts import Initialisation


def initialise(module: nn.Module, model: Model, recipe: Recipe) -> None:
    """Draw the matrices and kernels of a built model as the recipe's `init` says.

    They depend on the recipe's seed, the model and `init` alone. Others keep the
    weights that they were built with. Raises UsageError where `init` names an operator
    that the model does not have.
    """
    present = {op.operator for op in ops_in(model)}
    for init in recipe.init:
        if missing := [name for name in init.of if name not in present]:
            raise UsageError(
                f"the recipe's init is for `{missing[0]}`, and {model.name} has none"
            )
    generator = Generator().manual_seed(derive("init", recipe.seed))
    for visit in occurrences(model, each=True):
        chosen = _initialisation(recipe, visit.op.operator)
        if chosen is None or chosen.kind == "default":
            continue
        for part in module.get_submodule(visit.path).modules():
            if isinstance(part, nn.Linear | nn.Conv2d):
                chosen.draw(part.weight, generator)
                if part.bias is not None:
                    nn.init.zeros_(part.bias)


def _initialisation(recipe: Recipe, operator: str) -> Initialisation | None:
    fitting = [init for init in recipe.init if not init.of or operator in init.of]
    return fitting[-1] if fitting else None


def prepare(model: nn.Module, recipe: Recipe) -> None:
    """Apply what the recipe says of dropout, compilation and checkpointing."""
    set_drop_path(model, recipe.drop_path)
    set_dropout(model, recipe.dropout)
    if recipe.compile:
        compile_blocks(model, autotune=recipe.compile == "autotune")
    if recipe.gradient_checkpointing:
        checkpoint_blocks(model)


def set_drop_path(model: nn.Module, rate: float) -> None:
    """Set the rates of stochastic depth, linear from 0 at the first branch to `rate`.

    The branches are the modules called DropPath, in the order of the model.
    Raises UsageError if the model has none and the rate is not 0.
    """
    branches = [m for m in model.modules() if type(m).__name__ == "DropPath"]
    if rate and not branches:
        raise UsageError(
            f"drop_path = {rate:g}, but the model has no residual branch to drop"
        )
    last = max(1, len(branches) - 1)
    for number, branch in enumerate(branches):
        depth = number / last if len(branches) > 1 else 1.0
        setattr(branch, "p", rate * depth)  # noqa: B010 - each model has its own class


# By default Inductor times a single template with the epilogue of a product in it.
AUTOTUNE: dict[str, Any] = {
    "max_autotune": True,
    "max_epilogue_benchmarked_choices": 4,
}


def compile_blocks(model: nn.Module, autotune: bool = False) -> None:
    """Compile each block by itself: equal blocks share the compiled code.

    Blocks are the members of the model's outermost sequences; a model without them is
    compiled as a whole. Call it before `checkpoint_blocks`, which then keeps the
    inputs of compiled code. With `autotune` the compiler times kernels for the matrix
    products, and what it may fuse into them: minutes, once for each size.
    """
    options = AUTOTUNE if autotune else None
    blocks = outermost_blocks(model)
    for block in blocks:
        block.forward = torch.compile(block.forward, options=options)
    if not blocks:
        model.compile(options=options)


def set_dropout(model: nn.Module, rate: float) -> None:
    """Set the rate of dropout in every residual branch.

    Raises UsageError if the model has none and the rate is not 0.
    """
    branches = [m for m in model.modules() if isinstance(m, nn.Dropout)]
    if rate and not branches:
        raise UsageError(
            f"dropout = {rate:g}, but the model has no residual branch to drop from"
        )
    for branch in branches:
        branch.p = rate


def checkpoint_blocks(model: nn.Module) -> None:
    """Keep each block's input, and compute the rest again in the backward pass.

    Blocks are the members of the model's outermost sequences. Raises
    UsageError if it has none.
    """
    blocks = outermost_blocks(model)
    if not blocks:
        raise UsageError(
            "gradient_checkpointing = on, but the model has no stack of blocks"
        )
    for block in blocks:
        block.forward = partial(
            checkpoint,
            block.forward,
            use_reentrant=False,
            context_fn=partial(_passes, block),
        )


def _passes(block: nn.Module) -> tuple[AbstractContextManager[None], ...]:
    """Contexts of a block's forward pass, and of the same pass computed again.

    The second begins with the buffers that the first began with, and leaves them as the
    first left them: running statistics count the batch once.
    """
    copies: dict[int, Tensor] = {}  # a tensor can have two names
    before = [
        (module._buffers, name, tensor, copies.setdefault(id(tensor), tensor.clone()))
        for module in block.modules()
        for name, tensor in module._buffers.items()
        if tensor is not None
    ]
    return nullcontext(), _swapped(before)


@contextmanager
def _swapped(
    buffers: list[tuple[dict[str, Tensor | None], str, Tensor, Tensor]],
) -> Iterator[None]:
    """Copies take the place of buffers, given as owner, name, buffer and copy.

    Swapped rather than restored: autograd refuses tensors that were written to after a
    pass has saved them.
    """
    for owner, name, _, copied in buffers:
        owner[name] = copied
    try:
        yield
    finally:
        for owner, name, buffer, _ in buffers:
            owner[name] = buffer


def outermost_blocks(module: nn.Module) -> list[nn.Module]:
    """The members with weights of the outermost sequences; none without a sequence."""
    if isinstance(module, nn.Sequential):
        return [block for block in module if next(block.parameters(), None) is not None]
    return [block for child in module.children() for block in outermost_blocks(child)]
