"""The training loop: train an epoch, test, save; and resume where a run stopped.

Every rank runs it. What ranks do together depends only on what they agree on: the
step, and the answers of `Trainer._agree`.
"""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import NoReturn

import torch
from torch import nn

from s2mlp_dsl.data.batch import Batch, Data
from s2mlp_dsl.data.sampler import BatchSplit, Sampler
from s2mlp_dsl.data.seeds import fork_generators
from s2mlp_dsl.errors import EnvironmentFailure, Interrupted
from s2mlp_dsl.signals import StopRequest, stop_requests
from s2mlp_dsl.train import checkpoint as checkpoints
from s2mlp_dsl.train.checkpoint import Clock, Totals, TrainState
from s2mlp_dsl.train.data import open_data, sampler_of
from s2mlp_dsl.train.device import Accelerator, choose_accelerator
from s2mlp_dsl.train.distributed import Distributed, init_distributed
from s2mlp_dsl.train.evaluate import measure
from s2mlp_dsl.train.folder import folder_in_use, taken
from s2mlp_dsl.train.job import Job, Summary
from s2mlp_dsl.train.logger import Display, Logger, require_tensorboard
from s2mlp_dsl.train.metrics import Meter, epoch_event, summarise, train_event
from s2mlp_dsl.train.model import prepare
from s2mlp_dsl.train.optimizer import load_state_tensors, state_tensors
from s2mlp_dsl.train.run import Run, describe, require_same, rounding_changes
from s2mlp_dsl.train.step import TrainStep
from s2mlp_dsl.train.weights import load_checkpoint

LOG_STEPS = 10
SAVE_SECONDS = 600  # within an epoch; each epoch's end is saved anyway


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

    `model` maps float32 [batch, channels, height, width] to logits [batch, classes].
    A new run starts from the weights that it comes with; at the end it has the trained
    ones, on the device, averaged if the recipe says so. With `resume` a run continues
    from its newest valid checkpoint, or starts if there is none yet; if it is finished,
    its weights are loaded and that is all. On one CPU a resumed run's weights and
    metrics equal those of an uninterrupted one bit for bit. Under torchrun every
    process calls this alike.

    All checks come before anything is written. Raises UsageError (a used folder, data
    or a recipe that does not fit, another run), EnvironmentFailure (data, disk,
    device, NaN) and, after saving, Interrupted (SIGTERM, Ctrl-C). Each has an
    `exit_code`.
    """
    resuming = folder_in_use(out, resume)
    if tensorboard:
        require_tensorboard()
    accelerator = choose_accelerator(device, job.recipe.precision)
    old = Run.open(out) if resuming else None
    if old is not None:
        require_same(out, {"job": old.job.model_dump()}, {"job": job.model_dump()})
        if (summary := _load_finished(model, old, accelerator)) is not None:
            return summary
        data_root = data_root or (Path(old.data_root) if old.data_root else None)
    data = open_data(job, accelerator.device, data_root)
    sampler = sampler_of(job.recipe, data.train.images)
    distributed = init_distributed(accelerator.device)
    with (
        accelerator.numerics(job.recipe.deterministic),
        Display(quiet, distributed.is_main) as display,
        stop_requests() as stop,
    ):
        world_size = distributed.world_size
        run = describe(model, job, out, data, sampler, accelerator, world_size)
        if old is not None:
            _require_continuation(run, old, display)
        prepare(model.to(accelerator.device), job.recipe)
        with (
            taken(run, old, distributed),
            fork_generators(accelerator.device),
            _failures(accelerator, job),
        ):
            trainer = Trainer(
                run, model, data, sampler, accelerator, distributed, display, stop
            )
            return trainer.fit(tensorboard)


def _load_finished(
    model: nn.Module, run: Run, accelerator: Accelerator
) -> Summary | None:
    """Load a finished run's last weights and return its summary.

    None if it is not finished, or if its last weights are damaged and earlier ones are
    not. Its checkpoints may have been deleted to save space.
    """
    summary = run.summary()
    if summary is None or not checkpoints.stored(run.path):
        return summary
    found, _ = load_checkpoint(model.to(accelerator.device), run, None, None)
    return summary if found.path.name == summary.checkpoint else None


def _finished(summary: Summary) -> str:
    replaced, left_out = summary.skipped_images, summary.unreadable_test_images
    unreadable = (
        f"; unreadable images: {replaced:,} times replaced in training, {left_out:,} "
        "of the last test left out"
    )
    return (
        f"finished: test {summary.accuracy:.2%}, best {summary.best_accuracy:.2%} "
        f"in epoch {summary.best_epoch}; {summary.seconds:,.1f} s, "
        f"{summary.images_per_second:,.0f} images/s"
        f"{unreadable if replaced or left_out else ''}"
    )


class Trainer:
    """One run, from where its folder stands to its end."""

    def __init__(
        self,
        run: Run,
        model: nn.Module,
        data: Data,
        sampler: Sampler,
        accelerator: Accelerator,
        distributed: Distributed,
        display: Display,
        stop: StopRequest,
    ) -> None:
        self.run, self.model, self.data = run, model, data
        self.sampler, self.recipe = sampler, run.job.recipe
        self.accelerator, self.distributed = accelerator, distributed
        self.display, self.stop = display, stop
        self.train_step = TrainStep(
            model,
            self.recipe,
            run.job.classes,
            run.learning_rate,
            accelerator,
            distributed,
        )
        self.state = TrainState(
            weight_hash=run.job.weight_hash,
            function_hash=run.job.function_hash,
            schedule_hash=run.learning_rate.digest(),
        )
        self.saved: Path | None = None
        self._restore()
        self.meter = Meter(distributed, self.state.interval)
        self.started = self.saved_at = time.monotonic()
        self.earlier = self.state.clock.total

    def fit(self, tensorboard: bool = False) -> Summary:
        """Run all remaining epochs. Raises Interrupted and other RunErrors."""
        for line in self.data.left_out:
            self.display.say(line)
        rank, world_size = self.distributed.rank, self.distributed.world_size
        split = BatchSplit(rank, world_size, self.recipe.micro_batch)
        wanted = self.sampler.batches(self.state.step, split)
        is_main = self.distributed.is_main
        self.logger = Logger(self.run, self.display, is_main, tensorboard, self.state)
        with (
            closing(self.logger),
            closing(self.data.train.batches(wanted)) as batches,
        ):
            self.batches = _Timed(batches)
            while self.state.epoch < self.sampler.epochs:
                self._train_epoch()
                self._test()
            self._update(clock=self._clock())
            summary = summarise(self.run, self.state, self.accelerator)
            self.logger.finish(summary)
        if self.train_step.ema is not None:
            self.train_step.ema.copy_to_model()
        self.distributed.barrier()
        self.display.say(_finished(summary))
        return summary

    def _train_epoch(self) -> None:
        self.model.train()
        per_epoch, steps = self.sampler.steps_per_epoch, self.sampler.steps
        while self.state.position < per_epoch and self.state.step < steps:
            self._step()
            if self.state.position % LOG_STEPS == 0:
                self._log()
            late = time.monotonic() - self.saved_at > SAVE_SECONDS
            signal, save = self._agree(late)
            if signal:
                self._leave(signal)
            if save:
                self._save()

    def _step(self) -> None:
        start, waited = time.monotonic(), self.batches.seconds
        result = self.train_step(self.batches, self.state.step, self.saved)
        self.meter.add(result)
        for reason in result.skipped:
            self.logger.skipped(reason)
        spent, clock = time.monotonic() - start, self.state.clock
        self._update(
            step=self.state.step + 1,
            position=self.state.position + 1,
            clock=Clock(
                total=clock.total,
                training=clock.training + spent,
                waiting=clock.waiting + self.batches.seconds - waited,
                interval=clock.interval + spent,
                epoch=clock.epoch + spent,
            ),
        )
        self.display.step(self.state.step, self.sampler.steps)

    def _log(self) -> None:
        totals, clock = self._read_meter(), self._clock()
        event = train_event(self.run, self.state, totals, clock, self.accelerator)
        self.logger.train_event(event)
        self._update(
            epoch_totals=self.state.epoch_totals.plus(totals),
            clock=clock.model_copy(update={"interval": 0.0}),
        )

    def _read_meter(self) -> Totals:
        totals = self.meter.read()
        self.meter = Meter(self.distributed, Totals())
        self._update(skipped=self.state.skipped + totals.skipped)
        return totals

    def _test(self) -> None:
        ema = self.train_step.ema
        with ema.swapped_in() if ema is not None else nullcontext():
            result = measure(
                self.model,
                self.data.test,
                self.accelerator,
                self.recipe,
                self.run.class_names,
                self.distributed,
                stopped=lambda: bool(self._agree()[0]),
                failed=self.logger.skipped,
            )
        if result is None:
            self._leave(self._agree()[0])
        totals = self.state.epoch_totals.plus(self._read_meter())
        clock, accelerator = self._clock(), self.accelerator
        event = epoch_event(self.run, self.state, totals, clock, accelerator, result)
        self.logger.epoch_event(event, self.sampler.epochs)
        epoch, best = self.state.epoch + 1, self.state.best_accuracy
        if best is None or result.accuracy > best:
            self._update(best_accuracy=result.accuracy, best_epoch=epoch)
        self._update(
            epoch=epoch,
            position=0,
            epoch_totals=Totals(),
            last_loss=result.loss,
            last_accuracy=result.accuracy,
            unreadable=result.unreadable,
            clock=self.state.clock.model_copy(update={"interval": 0.0, "epoch": 0.0}),
        )
        self._save()
        signal = self._agree()[0]
        if signal and epoch < self.sampler.epochs:
            self._leave(signal)

    def _agree(self, late: bool = False) -> tuple[int, bool]:
        """The signal to stop, 0 for none, and whether to save, alike on all ranks."""
        due = late and self.distributed.is_main
        signal, save = self.distributed.all_reduce_max(self.stop.signal or 0, due)
        return signal, bool(save)

    def _leave(self, signal: int) -> NoReturn:
        raise Interrupted(signal, self._save())

    def _save(self) -> Path:
        # There is a checkpoint of this step if only the epoch's test came since, or
        # nothing at all. It is valid, and a test can be repeated.
        name = checkpoints.name_of(self.state.step)
        if self.saved is None or self.saved.name != name:
            step = self.train_step
            scaling = step.scaler.is_enabled()
            self._update(
                interval=self.meter.read(),
                **self.logger.written(),
                scaler=step.scaler.state_dict() if scaling else None,
                clock=self._clock(),
            )
            if self.distributed.is_main:
                self.logger.sync()
                checkpoints.save(
                    self.run.path,
                    self.model.state_dict(),
                    state_tensors(self.model, step.optimizer),
                    self.state,
                    step.ema.averaged if step.ema is not None else None,
                )
            self.distributed.barrier()
            self.saved = self.run.path / checkpoints.FOLDER / name
        self.saved_at = time.monotonic()
        return self.saved

    def _restore(self) -> None:
        """Go back to the newest valid checkpoint, if there is any.

        Raises UsageError if it is of another run, EnvironmentFailure if none is valid.
        """
        if checkpoints.stored(self.run.path):
            weight_hash, step = self.run.job.weight_hash, self.train_step
            found, skipped = load_checkpoint(
                self.model, self.run, None, weight_hash, to_train=True
            )
            for reason in skipped:
                self.display.warn(f"skipped {reason}")
            hashes = {"weight_hash", "function_hash", "schedule_hash"}
            before, now = (
                state.model_dump(include=hashes) for state in (found.state, self.state)
            )
            require_same(found.path, before, now)
            load_state_tensors(self.model, step.optimizer, found.optimizer)
            if (step.ema is None) != (found.average is None):
                raise EnvironmentFailure(f"{found.path} does not fit the recipe's ema")
            if step.ema is not None and found.average is not None:
                step.ema.load(found.average)
            if step.scaler.is_enabled() and found.state.scaler is not None:
                step.scaler.load_state_dict(found.state.scaler)
            self.display.say(f"resuming from {found.path}")
            self.state, self.saved = found.state, found.path
        self.distributed.barrier()  # nobody writes before all have read
        if self.saved is not None and self.distributed.is_main:
            checkpoints.point_at(self.saved)

    def _clock(self) -> Clock:
        total = self.earlier + time.monotonic() - self.started
        return self.state.clock.model_copy(update={"total": total})

    def _update(self, **changes: object) -> None:
        self.state = self.state.model_copy(update=changes)


class _Timed(Iterator[Batch]):
    """An iterator that counts the seconds spent waiting for it."""

    def __init__(self, inner: Iterator[Batch]) -> None:
        self.inner, self.seconds = inner, 0.0

    def __next__(self) -> Batch:
        start = time.monotonic()
        batch = next(self.inner)
        self.seconds += time.monotonic() - start
        return batch


def _require_continuation(run: Run, old: Run, display: Display) -> None:
    """Check that a folder's run is this one, and say what may round differently."""
    require_same(run.path, old.model_dump(), run.model_dump())
    if changes := rounding_changes(old, run):
        display.warn(
            "not bit-exact from here on, since these changed: " + ", ".join(changes)
        )


@contextmanager
def _failures(accelerator: Accelerator, job: Job) -> Iterator[None]:
    """PyTorch's failures that are the environment's, in words."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise EnvironmentFailure(
            f"{accelerator.device} has too little memory for batches of "
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
