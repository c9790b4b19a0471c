"""Cosine decay."""

import math
from typing import Literal

from s2mlp_dsl.recipe.contracts import Schedule


class Cosine(Schedule):
    """A cosine from the peak to `min_lr`."""

    kind: Literal["cosine"] = "cosine"

    def decayed(self, step: int, lr: float, steps: int) -> float:
        progress = (step - self.warmup) / (steps - self.warmup)
        left = 0.5 * (1 + math.cos(math.pi * progress))
        return self.min_lr + (lr - self.min_lr) * left
