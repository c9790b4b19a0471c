"""The learning rate as a pure function of the step."""

import hashlib
import json
import math

from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.ir.recipe import Recipe
from s2mlp_dsl.train.errors import UsageError


class Schedule(Record):
    """Linear warm-up from `start` to `base`, then a cosine down to `floor`.

    Lengths are in optimizer steps. The schedule is frozen when a run begins;
    its hash is in every checkpoint.
    """

    base: float
    start: float
    floor: float
    warmup: int
    steps: int

    def at(self, step: int) -> float:
        """The learning rate of step 0 … steps-1."""
        if step < self.warmup:
            return self.start + (self.base - self.start) * step / self.warmup
        progress = (step - self.warmup) / (self.steps - self.warmup)
        cosine = 0.5 * (1 + math.cos(math.pi * progress))
        return self.floor + (self.base - self.floor) * cosine

    def digest(self) -> str:
        """A hash that changes with any number of the schedule."""
        text = json.dumps(self.model_dump(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def schedule_of(recipe: Recipe, steps_per_epoch: int) -> Schedule:
    """The recipe's schedule in steps. Raises UsageError if it cannot be."""
    cosine, base = recipe.schedule, recipe.optimizer.lr
    if cosine.warmup >= recipe.epochs:
        raise UsageError(
            f"a warm-up of {cosine.warmup:g} epochs leaves nothing of "
            f"{recipe.epochs} epochs"
        )
    if cosine.floor > base:
        raise UsageError(
            f"the schedule's floor {cosine.floor:g} is above the learning rate {base:g}"
        )
    steps = steps_per_epoch * recipe.epochs
    return Schedule(
        base=base,
        start=cosine.start,
        floor=cosine.floor,
        # A warm-up of almost all epochs must not round up to the whole run.
        warmup=min(round(cosine.warmup * steps_per_epoch), steps - 1),
        steps=steps,
    )
