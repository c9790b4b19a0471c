"""The learning rate as a pure function of the step."""

import hashlib
import json

from s2mlp_dsl.errors import UsageError
from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.recipe.contracts import AnySchedule
from s2mlp_dsl.recipe.recipe import Recipe


class LearningRate(Record):
    """A schedule for a number of optimizer steps, with its lengths in steps.

    It is frozen when a run begins; its hash is in every checkpoint.
    """

    schedule: AnySchedule
    peak: float
    steps: int

    @classmethod
    def of(cls, recipe: Recipe, steps: int, steps_per_epoch: int) -> "LearningRate":
        """The recipe's. Raises UsageError for what no schedule can be."""
        chosen, peak = recipe.schedule, recipe.optimizer.lr
        unit, name = 1, "steps"
        if recipe.epochs is not None:
            unit, name = steps_per_epoch, "epochs"
        length = recipe.epochs or steps
        if chosen.warmup >= length:
            raise UsageError(
                f"a warm-up of {chosen.warmup:g} {name} leaves nothing of "
                f"{length:,} {name}"
            )
        if chosen.min_lr > peak:
            raise UsageError(
                f"the schedule's min_lr {chosen.min_lr:g} is above the learning rate "
                f"{peak:g}"
            )
        return cls(schedule=chosen.in_steps(unit, steps), peak=peak, steps=steps)

    def at(self, step: int) -> float:
        """The learning rate of step 0 … steps - 1."""
        return self.schedule.rate(step, self.peak, self.steps)

    def digest(self) -> str:
        """A hash that changes with any number of the schedule."""
        text = json.dumps(self.model_dump(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()
