"""Where a run stands: all that a resumed run needs besides tensors."""

import torch
from torch import Tensor

from s2mlp_dsl.ir.node import Record


class Sums(Record):
    """Training figures added up: batch losses, right answers, steps."""

    loss: float = 0.0
    correct: int = 0
    steps: int = 0

    def plus(self, other: "Sums") -> "Sums":
        return Sums(
            loss=self.loss + other.loss,
            correct=self.correct + other.correct,
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
    `metrics_lines` is how much of metrics.jsonl belongs to this state.
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
    last_loss: float | None = None
    last_accuracy: float | None = None
    best_accuracy: float | None = None
    best_epoch: int | None = None
    clock: Clock = Clock()


class Tally:
    """Sums that stay on the device between two readings.

    Reading waits for the device, so it happens once per log line, and at a
    checkpoint. The loss is summed in float32: a float is what JSON keeps
    exactly.
    """

    def __init__(self, device: torch.device, start: Sums) -> None:
        self.loss = torch.tensor(start.loss, dtype=torch.float32, device=device)
        self.correct = torch.tensor(start.correct, device=device)
        self.steps = start.steps

    def add(self, loss: Tensor, correct: Tensor) -> None:
        self.loss += loss
        self.correct += correct
        self.steps += 1

    def read(self) -> Sums:
        return Sums(
            loss=self.loss.item(), correct=int(self.correct.item()), steps=self.steps
        )
