"""Stochastic gradient descent."""

from typing import Any, Literal

from pydantic import Field

from s2mlp_dsl.recipe.contracts import (
    BelowOne,
    NonNegative,
    Optimizer,
    Positive,
    TorchOptimizer,
)


class SGD(Optimizer):
    """SGD with Nesterov momentum."""

    kind: Literal["sgd"] = "sgd"
    lr: Positive = Field(0.1, description="peak learning rate")
    weight_decay: NonNegative = Field(
        1e-4, description="of matrices and kernels; norms and biases do not decay"
    )
    momentum: BelowOne = Field(0.9, description="0 for none")

    def build(self, groups: list[dict[str, Any]], fused: bool) -> TorchOptimizer:
        from torch.optim import SGD as Torch

        nesterov = self.momentum > 0
        return Torch(
            groups, lr=self.lr, momentum=self.momentum, nesterov=nesterov, fused=fused
        )
