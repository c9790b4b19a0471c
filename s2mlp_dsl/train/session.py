"""Starting a run, or going on with it: all checks come before any writing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from s2mlp_dsl.train import checkpoint as checkpoints
from s2mlp_dsl.train.blocks import (
    checkpoint_activations,
    compile_blocks,
    set_drop_path,
    set_dropout,
)
from s2mlp_dsl.train.board import require_tensorboard
from s2mlp_dsl.train.data import Data
from s2mlp_dsl.train.device import Place, choose_place
from s2mlp_dsl.train.errors import EnvironmentFailure, UsageError
from s2mlp_dsl.train.evaluate import load_weights
from s2mlp_dsl.train.job import Job, Summary
from s2mlp_dsl.train.loop import Loop
from s2mlp_dsl.train.mix import Mix
from s2mlp_dsl.train.optimizer import split_decay
from s2mlp_dsl.train.order import Order, order_of
from s2mlp_dsl.train.progress import Reporter
from s2mlp_dsl.train.recorder import Recorder
from s2mlp_dsl.train.run import RUN, Run, folder_in_use, refuse_another, versions
from s2mlp_dsl.train.schedule import schedule_of
from s2mlp_dsl.train.seeds import lent_generators
from s2mlp_dsl.train.sets import open_data
from s2mlp_dsl.train.signals import listening
from s2mlp_dsl.train.world import World, join


def train(
    model: nn.Module,
    job: Job,
    out: Path,
    *,
    resume: bool = False,
    data_root: Path | None = None,
    device: str | None = None,
    quiet: bool = False,
    tensorboard: bool = False,
) -> Summary:
    """Train a model by a recipe, in the run folder `out`.

    `model` maps float32 [batch, channels, height, width] to logits
    [batch, classes]. A new run starts from the weights it comes with; at the
    end it holds the trained ones, on the device, averaged if the recipe says
    so. With `resume` a run goes on from its newest valid checkpoint, starts if
    there is none yet, and if it is finished, only its weights are loaded. On
    one CPU a resumed run's weights and metrics equal those of an uninterrupted
    one bit for bit. Under torchrun every process calls this alike.

    Raises UsageError (a used folder, data or recipe that does not fit, another
    run), EnvironmentFailure (data, disk, device, NaN) and, after saving, Interrupted
    (SIGTERM, Ctrl-C). Each carries an `exit_code`.
    """
    going_on = folder_in_use(out, resume)
    if tensorboard:
        require_tensorboard()
    place = choose_place(device, job.recipe.precision)
    old = Run.open(out) if going_on else None
    if old is not None:
        refuse_another(out, {"job": old.job.model_dump()}, {"job": job.model_dump()})
        summary = old.summary()
        if summary is not None:
            _load_finished(model, old, place)
            return summary
        if data_root is None and old.data_root is not None:
            data_root = Path(old.data_root)
    data = open_data(job, place.device, data_root)
    order = order_of(job.recipe, data.train.images)
    world = join(place.device)
    with (
        place.numerics(job.recipe.deterministic),
        Reporter(quiet or not world.leads) as reporter,
        listening() as stop,
    ):
        run = describe(model, job, out, data, order, place, world)
        _create_or_check(run, old, world, reporter)
        prepare(model.to(place.device), job)
        recorder = Recorder(run, reporter, world.leads, tensorboard)
        with lent_generators(place.device), _reported(place, job):
            loop = Loop(run, model, data, order, place, world, recorder, stop)
            summary = loop.finish()
        world.wait()
        reporter.say(
            f"finished: test {summary.accuracy:.2%}, best {summary.best_accuracy:.2%} "
            f"in epoch {summary.best_epoch}; {summary.seconds:,.1f} s, "
            f"{summary.images_per_second:,.0f} images/s"
        )
    return summary


def prepare(model: nn.Module, job: Job) -> None:
    """Change the model as the recipe says: its names and its answers stay."""
    set_drop_path(model, job.recipe.drop_path)
    set_dropout(model, job.recipe.dropout)
    if job.recipe.compile:
        compile_blocks(model, autotune=job.recipe.compile == "autotune")
    if job.recipe.activation_checkpointing:
        checkpoint_activations(model)


def describe(
    model: nn.Module,
    job: Job,
    out: Path,
    data: Data,
    order: Order,
    place: Place,
    world: World,
) -> Run:
    """The run as run.json will hold it. Raises UsageError if it cannot be."""
    decayed, kept = split_decay(model)
    Mix(job.recipe, job.classes)  # refuses a batch that cannot be mixed
    if job.recipe.batch < world.size:
        raise UsageError(
            f"a batch of {job.recipe.batch:,} images is too few for "
            f"{world.size:,} processes"
        )
    return Run(
        path=out,
        job=job,
        preprocess=data.preprocess,
        class_names=data.class_names,
        data_fingerprint=data.fingerprint,
        data_root=str(data.root) if data.root is not None else None,
        train_images=data.train_images,
        test_images=data.test.images,
        schedule=schedule_of(job.recipe, order.steps, order.steps_per_epoch),
        parameters=sum(p.numel() for _, p in decayed + kept),
        device=str(place.device),
        devices=world.size,
        precision=place.precision,
        versions=versions(),
    )


def _create_or_check(
    run: Run, old: Run | None, world: World, reporter: Reporter
) -> None:
    world.wait()  # nobody writes before all have looked
    if old is not None:
        refuse_another(run.path, old.model_dump(), run.model_dump())
        _say_changes(reporter, old, run)
    elif world.leads:
        run.create()
    world.wait()
    if not (run.path / RUN).is_file():
        raise EnvironmentFailure(
            f"{run.path} is not seen by rank {world.rank}: the run folder must be on "
            "a disk that all machines share"
        )


def _load_finished(model: nn.Module, run: Run, place: Place) -> None:
    # A finished run may have been stripped of its checkpoints to save space.
    if checkpoints.stored(run.path):
        load_weights(model, run, None, None)
    model.to(place.device)


def _say_changes(reporter: Reporter, old: Run, new: Run) -> None:
    before, after = _rounding(old), _rounding(new)
    changed = [
        f"{name} {before.get(name)} → {after.get(name)}"
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    ]
    if changed:
        reporter.say(
            "not bit-exact from here on, since these changed: " + ", ".join(changed)
        )


def _rounding(run: Run) -> dict[str, object]:
    """What may change from one session to the next, but not without a trace."""
    return {
        **dict(sorted(run.versions.items())),
        "device": run.device,
        "processes": run.devices,
        "precision": run.precision,
        "micro_batch": run.job.recipe.micro_batch,
    }


@contextmanager
def _reported(place: Place, job: Job) -> Iterator[None]:
    """Failures of PyTorch that are the world's, in words."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise EnvironmentFailure(
            f"{place.device} has too little memory for batches of "
            f"{job.recipe.micro_batch or job.recipe.batch:,} images; a smaller "
            "micro_batch needs less"
        ) from error
    except RuntimeError as error:
        if not (job.recipe.compile and "Inductor" in type(error).__name__):
            raise
        raise EnvironmentFailure(
            f"torch.compile cannot compile here: {str(error).splitlines()[0]}; "
            "use compile = off"
        ) from error
