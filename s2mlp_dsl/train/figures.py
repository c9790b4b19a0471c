"""The figures of a run as metrics.jsonl and summary.json hold them."""

import resource
import sys
from typing import Any

import torch

from s2mlp_dsl.train.checkpoint import name_of
from s2mlp_dsl.train.device import Place
from s2mlp_dsl.train.flops import utilisation
from s2mlp_dsl.train.job import Evaluation, Summary
from s2mlp_dsl.train.run import Run
from s2mlp_dsl.train.state import Clock, State, Sums
from s2mlp_dsl.train.world import World


class Figures:
    """Turns sums and clocks into events."""

    def __init__(self, run: Run, place: Place, world: World) -> None:
        self.run, self.place, self.world = run, place, world

    def log_event(self, state: State, sums: Sums, clock: Clock) -> dict[str, Any]:
        """The training steps since the last log line."""
        return self._event("steps", state, sums, clock, clock.interval)

    def epoch_event(
        self, state: State, sums: Sums, clock: Clock, test: Evaluation
    ) -> dict[str, Any]:
        """A whole epoch and the test at its end."""
        event = self._event("epoch", state, sums, clock, clock.epoch)
        return event | {"test_loss": test.loss, "test_accuracy": test.accuracy}

    def _event(
        self, kind: str, state: State, sums: Sums, clock: Clock, seconds: float
    ) -> dict[str, Any]:
        images = sums.steps * self.run.job.recipe.batch
        speed = images / seconds
        used = self._utilisation(speed)
        return {
            "event": kind,
            "step": state.step,
            "epoch": state.epoch + 1,
            "loss": sums.loss / sums.steps,
            "train_accuracy": sums.correct / images,
            "lr": self.run.schedule.at(state.step - 1),
            "time": {
                "seconds": clock.total,
                "images_per_second": speed,
                "data_wait_share": clock.waiting / clock.training,
            }
            | ({} if used is None else {"mfu": used}),
        }

    def _utilisation(self, speed: float) -> float | None:
        return utilisation(speed, self.run.job.macs, self.place, self.world.size)

    def summary(self, state: State) -> Summary:
        """A finished run. Peak memory is of this session, on the leading rank."""
        clock, job = state.clock, self.run.job
        speed = state.step * job.recipe.batch / clock.training
        return Summary.model_validate(
            {
                "model_name": job.model_name,
                "recipe_name": job.recipe_name,
                "accuracy": state.last_accuracy,
                "loss": state.last_loss,
                "best_accuracy": state.best_accuracy,
                "best_epoch": state.best_epoch,
                "epochs": state.epoch,
                "steps": state.step,
                "seconds": clock.total,
                "images_per_second": speed,
                "data_wait_share": clock.waiting / clock.training,
                "mfu": self._utilisation(speed),
                "peak_memory_bytes": _peak_memory(self.place),
                "skipped_images": state.skipped,
                "unreadable_test_images": state.unreadable,
                "device": str(self.place.device),
                "devices": self.world.size,
                "precision": self.place.precision,
                "checkpoint": name_of(state.step),
            }
        )


def _peak_memory(place: Place) -> int:
    """In bytes: what the GPU held at most, or without one this whole process."""
    if place.device.type == "cuda":
        return torch.cuda.max_memory_allocated(place.device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
