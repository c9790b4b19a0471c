"""The figures of a run as metrics.jsonl and summary.json hold them."""

from typing import Any

import torch

from s2mlp_dsl.train.checkpoint import name_of
from s2mlp_dsl.train.device import Place
from s2mlp_dsl.train.job import Evaluation, Summary
from s2mlp_dsl.train.run import Run
from s2mlp_dsl.train.state import Clock, State, Sums


def log_event(run: Run, state: State, sums: Sums, clock: Clock) -> dict[str, Any]:
    """The training steps since the last log line."""
    return _event("steps", run, state, sums, clock, clock.interval)


def epoch_event(
    run: Run, state: State, sums: Sums, clock: Clock, test: Evaluation
) -> dict[str, Any]:
    """A whole epoch and the test at its end."""
    event = _event("epoch", run, state, sums, clock, clock.epoch)
    return event | {"test_loss": test.loss, "test_accuracy": test.accuracy}


def _event(
    kind: str, run: Run, state: State, sums: Sums, clock: Clock, seconds: float
) -> dict[str, Any]:
    images = sums.steps * run.job.recipe.batch
    return {
        "event": kind,
        "step": state.step,
        "epoch": state.epoch + 1,
        "loss": sums.loss / sums.steps,
        "train_accuracy": sums.correct / images,
        "lr": run.schedule.at(state.step - 1),
        "time": {
            "seconds": clock.total,
            "images_per_second": images / seconds,
            "data_wait_share": clock.waiting / clock.training,
        },
    }


def summary(run: Run, state: State, place: Place) -> Summary:
    """A finished run. Peak memory is of this session, in bytes, on a GPU."""
    clock, on_gpu = state.clock, place.device.type == "cuda"
    peak = torch.cuda.max_memory_allocated(place.device) if on_gpu else None
    return Summary.model_validate(
        {
            "model_name": run.job.model_name,
            "recipe_name": run.job.recipe_name,
            "accuracy": state.last_accuracy,
            "loss": state.last_loss,
            "best_accuracy": state.best_accuracy,
            "best_epoch": state.best_epoch,
            "epochs": state.epoch,
            "steps": state.step,
            "seconds": clock.total,
            "images_per_second": state.step * run.job.recipe.batch / clock.training,
            "data_wait_share": clock.waiting / clock.training,
            "peak_memory_bytes": peak,
            "device": str(place.device),
            "precision": place.precision,
            "checkpoint": name_of(state.step),
        }
    )
