"""First weights, where a recipe chooses them."""

from functools import partial

import torch
from torch import Generator, nn

from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.ir.recipe import (
    Initialisation,
    Kaiming,
    Normal,
    Recipe,
    TruncNormal,
    Xavier,
)
from s2mlp_dsl.ir.walk import occurrences, ops_in
from s2mlp_dsl.train.errors import UsageError
from s2mlp_dsl.train.seeds import derive


def initialise(module: nn.Module, model: Model, recipe: Recipe) -> None:
    """Draw the matrices and kernels of a built model as the recipe's `init` says.

    They depend on the recipe's seed, the model and `init` alone. What `init` leaves
    as it is keeps the weights it was built with. Raises UsageError where `init` names
    an operator that the model does not have.
    """
    known = {op.operator for op in ops_in(model)}
    for one in recipe.init:
        if missing := [name for name in one.of if name not in known]:
            raise UsageError(
                f"the recipe's init is for `{missing[0]}`, and {model.name} has none"
            )
    random = Generator().manual_seed(derive("init", recipe.seed))
    for visit in occurrences(model, each=True):
        chosen = _chosen(recipe, visit.op.operator)
        if chosen is not None:
            for part in module.get_submodule(visit.path).modules():
                if isinstance(part, nn.Linear | nn.Conv2d):
                    _draw(part, chosen, random)


def _chosen(recipe: Recipe, operator: str) -> Initialisation | None:
    fitting = [one for one in recipe.init if not one.of or operator in one.of]
    return fitting[-1] if fitting and fitting[-1].kind != "default" else None


def _draw(part: nn.Linear | nn.Conv2d, how: Initialisation, random: Generator) -> None:
    init = nn.init
    match how:
        case TruncNormal(std=std):
            draw = partial(init.trunc_normal_, std=std, a=-2 * std, b=2 * std)
        case Normal(std=std):
            draw = partial(init.normal_, std=std)
        case Xavier(gain=gain):
            draw = partial(init.xavier_uniform_, gain=gain)
        case Kaiming():
            draw = partial(init.kaiming_normal_, nonlinearity="relu")
    draw(part.weight, generator=random)
    if part.bias is not None:
        with torch.no_grad():
            part.bias.zero_()
