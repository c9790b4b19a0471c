"""AdamW."""

from typing import Any, Literal

from pydantic import Field

from s2mlp_dsl.recipe.contracts import (
    BelowOne,
    NonNegative,
    Optimizer,
    Positive,
    TorchOptimizer,
)


class AdamW(Optimizer):
    """AdamW (Loshchilov and Hutter 2019)."""

    kind: Literal["adamw"] = "adamw"
    lr: Positive = Field(1e-3, description="peak learning rate")
    weight_decay: NonNegative = Field(
        0.05, description="of matrices and kernels; norms and biases do not decay"
    )
    betas: tuple[BelowOne, BelowOne] = Field(
        (0.9, 0.999), description="decay rates of the averages of gradient and square"
    )
    eps: Positive = Field(1e-8, description="added to the denominator")

    def build(self, groups: list[dict[str, Any]], fused: bool) -> TorchOptimizer:
        from torch.optim import AdamW as Torch

        return Torch(groups, lr=self.lr, betas=self.betas, eps=self.eps, fused=fused)
