"""The learning rate as a pure function of the step."""

import hashlib
import json
import math
from typing import Literal

from s2mlp_dsl.ir import recipe as ir
from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.train.errors import UsageError


class Schedule(Record):
    """Linear warm-up from `start` to `base`, then down, never below `floor`.

    Lengths are in optimizer steps. `every` and `factor` are the step schedule's.
    It is frozen when a run begins; its hash is in every checkpoint.
    """

    shape: Literal["cosine", "linear", "step"]
    base: float
    start: float
    floor: float
    warmup: int
    steps: int
    every: int | None = None
    factor: float | None = None

    def at(self, step: int) -> float:
        """The learning rate of step 0 … steps-1."""
        if step < self.warmup:
            return self.start + (self.base - self.start) * step / self.warmup
        if self.shape == "step":
            assert self.every is not None and self.factor is not None
            fallen = self.base * self.factor ** (step // self.every)
            return max(fallen, self.floor)
        progress = (step - self.warmup) / (self.steps - self.warmup)
        left = 1 - progress
        if self.shape == "cosine":
            left = 0.5 * (1 + math.cos(math.pi * progress))
        return self.floor + (self.base - self.floor) * left

    def digest(self) -> str:
        """A hash that changes with any number of the schedule."""
        text = json.dumps(self.model_dump(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def schedule_of(recipe: ir.Recipe, steps: int, steps_per_epoch: int) -> Schedule:
    """The recipe's schedule in steps. Raises UsageError if it cannot be."""
    chosen, base = recipe.schedule, recipe.optimizer.lr
    # Lengths are in epochs unless the recipe counts steps.
    unit = 1 if recipe.epochs is None else steps_per_epoch
    name = "steps" if recipe.epochs is None else "epochs"
    if chosen.warmup >= (recipe.epochs or steps):
        raise UsageError(
            f"a warm-up of {chosen.warmup:g} {name} leaves nothing of "
            f"{recipe.epochs or steps:,} {name}"
        )
    if chosen.floor > base:
        raise UsageError(
            f"the schedule's floor {chosen.floor:g} is above the learning rate {base:g}"
        )
    every, factor = None, None
    if isinstance(chosen, ir.Step):
        every, factor = max(1, round(chosen.every * unit)), chosen.factor
    return Schedule(
        shape=chosen.kind,
        base=base,
        start=chosen.start,
        floor=chosen.floor,
        # A warm-up of almost all epochs must not round up to the whole run.
        warmup=min(round(chosen.warmup * unit), steps - 1),
        steps=steps,
        every=every,
        factor=factor,
    )
