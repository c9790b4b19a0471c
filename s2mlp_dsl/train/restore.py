"""Between a run under way and its checkpoints."""

from pathlib import Path

from torch import nn

from s2mlp_dsl.train import checkpoint as checkpoints
from s2mlp_dsl.train.checkpoint import Checkpoint
from s2mlp_dsl.train.errors import EnvironmentFailure
from s2mlp_dsl.train.evaluate import load_weights
from s2mlp_dsl.train.optimizer import load_state_tensors, state_tensors
from s2mlp_dsl.train.progress import Reporter
from s2mlp_dsl.train.run import Run, refuse_another
from s2mlp_dsl.train.state import State
from s2mlp_dsl.train.step import Stepper

HASHES = {"weight_hash", "function_hash", "schedule_hash"}


def fresh_state(run: Run) -> State:
    """Where a run stands before its first step."""
    return State(
        weight_hash=run.job.weight_hash,
        function_hash=run.job.function_hash,
        schedule_hash=run.schedule.digest(),
    )


def save(run: Run, model: nn.Module, stepper: Stepper, state: State) -> Path:
    """Write a checkpoint of a run under way. Raises EnvironmentFailure."""
    return checkpoints.save(
        run.path,
        model.state_dict(),
        state_tensors(model, stepper.optimizer),
        state,
        stepper.average.shadow if stepper.average is not None else None,
    )


def scale_of(stepper: Stepper) -> tuple[float, int] | None:
    """fp16's loss scale and the good steps since it changed; else None."""
    if not stepper.scaler.is_enabled():
        return None
    kept = stepper.scaler.state_dict()
    return kept["scale"], kept["_growth_tracker"]


def restored(
    run: Run, model: nn.Module, stepper: Stepper, reporter: Reporter
) -> Checkpoint | None:
    """Go back to the newest valid checkpoint; None if there is none at all.

    Raises UsageError if it is of another run, EnvironmentFailure if none is valid.
    """
    if not checkpoints.stored(run.path):
        return None
    found, skipped = load_weights(model, run, None, run.job.weight_hash, to_train=True)
    for reason in skipped:
        reporter.say(f"skipped {reason}")
    refuse_another(
        found.path,
        found.state.model_dump(include=HASHES),
        fresh_state(run).model_dump(include=HASHES),
    )
    load_state_tensors(model, stepper.optimizer, found.optimizer)
    if (stepper.average is None) != (found.average is None):
        raise EnvironmentFailure(f"{found.path} does not fit the recipe's ema")
    if stepper.average is not None and found.average is not None:
        stepper.average.load(found.average)
    if stepper.scaler.is_enabled() and found.state.scaler is not None:
        kept = stepper.scaler.state_dict()
        scale, steps = found.state.scaler
        stepper.scaler.load_state_dict(
            {**kept, "scale": scale, "_growth_tracker": steps}
        )
    reporter.say(f"resuming from {found.path}")
    return found
