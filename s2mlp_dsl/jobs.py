"""A program and a recipe as the runner takes them: a first module, and a job."""

from typing import TYPE_CHECKING

from s2mlp_dsl.ir.shape import Vector
from s2mlp_dsl.program import Program
from s2mlp_dsl.recipe import Recipe

if TYPE_CHECKING:
    from torch import nn

    from s2mlp_dsl.train import Job


def begin(
    program: Program,
    recipe: Recipe,
    recipe_name: str,
    spec: str,
    device: str | None,
) -> "tuple[nn.Module, Job]":
    """The model with the weights that the recipe's seed draws, and the job.

    The model ends in class scores; `spec` is a name to show. torch is imported.
    Raises UsageError where `init` names an operator that the model does not have.
    """
    import torch

    from s2mlp_dsl import train

    figures, model = program.figures, program.model
    assert figures.image is not None and isinstance(model.result, Vector)
    assert figures.function_hash is not None and figures.weight_hash is not None
    torch.manual_seed(recipe.seed)  # the initial weights are part of it
    # Which module computes a shift depends on what runs it, not the weights.
    gpu = device or ("cuda" if torch.cuda.is_available() else "cpu")
    module = program.build(
        recipe.drop_path > 0,
        device=gpu if recipe.compile else "cpu",
        dropout=recipe.dropout > 0,
    )
    train.initialise(module, model, recipe)
    job = train.Job(
        model_name=model.name,
        spec=spec,
        image=figures.image,
        classes=model.result.channels,
        function_hash=figures.function_hash,
        weight_hash=figures.weight_hash,
        model_text=program.text,
        recipe=recipe,
        recipe_name=recipe_name,
        macs=figures.macs,
    )
    return module, job
