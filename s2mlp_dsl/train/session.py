"""Starting a run, or going on with it: all checks come before any writing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from s2mlp_dsl.train import checkpoint as checkpoints
from s2mlp_dsl.train.data import Data
from s2mlp_dsl.train.device import Place, choose_place
from s2mlp_dsl.train.errors import WorldError
from s2mlp_dsl.train.evaluate import load_weights
from s2mlp_dsl.train.job import Job, Summary
from s2mlp_dsl.train.loop import Loop
from s2mlp_dsl.train.mix import Mix
from s2mlp_dsl.train.optimizer import split_decay
from s2mlp_dsl.train.order import Order
from s2mlp_dsl.train.progress import Reporter
from s2mlp_dsl.train.run import Run, folder_in_use, refuse_another, versions
from s2mlp_dsl.train.schedule import schedule_of
from s2mlp_dsl.train.seeds import lent_generators
from s2mlp_dsl.train.sets import open_data
from s2mlp_dsl.train.signals import listening


def train(
    model: nn.Module,
    job: Job,
    out: Path,
    *,
    resume: bool = False,
    data_root: Path | None = None,
    device: str | None = None,
    quiet: bool = False,
) -> Summary:
    """Train a model by a recipe, in the run folder `out`.

    `model` maps float32 [batch, channels, height, width] to logits
    [batch, classes]. A new run starts from the weights it comes with; at the
    end it holds the trained ones, on the device. With `resume` a run goes on
    from its newest valid checkpoint, starts if there is none yet, and if it is
    finished, only its weights are loaded. On one CPU a resumed run's weights
    and metrics equal those of an uninterrupted one bit for bit.

    Raises UsageError (a used folder, data or recipe that does not fit, another
    run), WorldError (data, disk, device, NaN) and, after saving, Interrupted
    (SIGTERM, Ctrl-C). Each carries an `exit_code`.
    """
    going_on = folder_in_use(out, resume)
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
    order = Order(
        data.train.images, job.recipe.batch, job.recipe.epochs, job.recipe.seed
    )
    run = _described(model, job, out, data, order, place)
    with Reporter(quiet) as reporter, listening() as stop:
        if old is None:
            run.create()
        else:
            refuse_another(out, old.model_dump(), run.model_dump())
            _say_changes(reporter, old, run)
        with lent_generators(place.device), _memory_reported(place, job):
            loop = Loop(run, model, data, order, place, reporter, stop)
            summary = loop.finish()
        reporter.say(
            f"finished: test {summary.accuracy:.2%}, best {summary.best_accuracy:.2%} "
            f"in epoch {summary.best_epoch}; {summary.seconds:,.1f} s, "
            f"{summary.images_per_second:,.0f} images/s"
        )
    return summary


def _described(
    model: nn.Module, job: Job, out: Path, data: Data, order: Order, place: Place
) -> Run:
    decayed, kept = split_decay(model)
    Mix(job.recipe, job.classes)  # refuses a batch that cannot be mixed
    return Run(
        path=out,
        job=job,
        preprocess=data.preprocess,
        class_names=data.class_names,
        data_fingerprint=data.fingerprint,
        data_root=str(data.root) if data.root is not None else None,
        train_images=data.train.images,
        test_images=data.test.images,
        schedule=schedule_of(job.recipe, order.steps_per_epoch),
        parameters=sum(p.numel() for _, p in decayed + kept),
        device=str(place.device),
        precision=place.precision,
        versions=versions(),
    )


def _load_finished(model: nn.Module, run: Run, place: Place) -> None:
    # A finished run may have been stripped of its checkpoints to save space.
    if checkpoints.stored(run.path):
        load_weights(model, run, None, None)
    model.to(place.device)


def _say_changes(reporter: Reporter, old: Run, new: Run) -> None:
    names = sorted(old.versions.keys() | new.versions.keys())
    pairs = [(name, old.versions.get(name), new.versions.get(name)) for name in names]
    pairs += [("device", old.device, new.device)]
    pairs += [("precision", old.precision, new.precision)]
    changed = [f"{name} {a} → {b}" for name, a, b in pairs if a != b]
    if changed:
        reporter.say(
            "not bit-exact from here on, since these changed: " + ", ".join(changed)
        )


@contextmanager
def _memory_reported(place: Place, job: Job) -> Iterator[None]:
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise WorldError(
            f"{place.device} has too little memory for batches of "
            f"{job.recipe.batch:,} images; a smaller batch needs less"
        ) from error
