"""Where a run stands: all that a resumed run needs besides tensors."""

import torch
from torch import Tensor

from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.train.world import World


class Sums(Record):
    """Training figures added up over all ranks: batch losses, right answers, steps.

    `skipped` counts how often another image stood in for an unreadable one.
    """

    loss: float = 0.0
    correct: int = 0
    skipped: int = 0
    steps: int = 0

    def plus(self, other: "Sums") -> "Sums":
        return Sums(
            loss=self.loss + other.loss,
            correct=self.correct + other.correct,
            skipped=self.skipped + other.skipped,
            steps=self.steps + other.steps,
        )


class Clock(Record):
    """Seconds over all sessions; all but `total` count training steps alone.

    `waiting` is the part of `training` spent on fetching batches; `interval`
    and `epoch` are since the last log line and since the epoch's start.
    """

    total: float = 0.0
    training: float = 0.0
    waiting: float = 0.0
    interval: float = 0.0
    epoch: float = 0.0


class State(Record):
    """The scalars of a checkpoint.

    `epoch` counts finished, tested epochs and `position` the steps done in the
    next one, so position = steps per epoch means that only its test is left.
    `metrics_lines` is how much of metrics.jsonl belongs to this state. `skipped`
    counts stand-ins for unreadable images up to the last log line; `scaler` is
    the loss scale of fp16 and the steps it has held.
    """

    weight_hash: str
    function_hash: str
    schedule_hash: str
    step: int = 0
    epoch: int = 0
    position: int = 0
    metrics_lines: int = 0
    interval: Sums = Sums()
    epoch_sums: Sums = Sums()
    skipped: int = 0
    unreadable: int = 0
    scaler: tuple[float, int] | None = None
    last_loss: float | None = None
    last_accuracy: float | None = None
    best_accuracy: float | None = None
    best_epoch: int | None = None
    clock: Clock = Clock()


class Tally:
    """Sums that stay on the device between two readings.

    Reading waits for the device and adds up over the ranks, so it happens once
    per log line, and at a checkpoint. The loss is summed in float32: a float is
    what JSON keeps exactly.
    """

    def __init__(self, world: World, start: Sums) -> None:
        # What is known already is counted once, not once per rank.
        own = start if world.leads else Sums()
        self.world, self.steps, self.skipped = world, start.steps, own.skipped
        device = world.device
        self.loss = torch.tensor(own.loss, dtype=torch.float32, device=device)
        self.correct = torch.tensor(own.correct, device=device)

    def add(self, loss: Tensor, correct: Tensor, skipped: int) -> None:
        self.loss += loss
        self.correct += correct
        self.skipped += skipped
        self.steps += 1

    def read(self) -> Sums:
        """All ranks call this together."""
        skipped = torch.tensor(self.skipped, device=self.correct.device)
        counts = self.world.add_up(torch.stack((self.correct, skipped)))
        loss = self.world.add_up(self.loss.clone())
        correct, stood_in = counts.tolist()
        return Sums(
            loss=loss.item(), correct=correct, skipped=stood_in, steps=self.steps
        )
