"""Linear decay."""

from typing import Literal

from s2mlp_dsl.recipe.contracts import Schedule


class Linear(Schedule):
    """A straight line from the peak to `min_lr`."""

    kind: Literal["linear"] = "linear"

    def decayed(self, step: int, lr: float, steps: int) -> float:
        left = 1 - (step - self.warmup) / (steps - self.warmup)
        return self.min_lr + (lr - self.min_lr) * left
