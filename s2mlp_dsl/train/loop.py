"""The training loop: steps, logs, tests and checkpoints, in that order."""

import time
from contextlib import closing, nullcontext
from pathlib import Path
from typing import NoReturn

from torch import nn

from s2mlp_dsl.train import checkpoint as checkpoints
from s2mlp_dsl.train import restore
from s2mlp_dsl.train.data import Batch, Data
from s2mlp_dsl.train.device import Place
from s2mlp_dsl.train.errors import Interrupted
from s2mlp_dsl.train.figures import Figures
from s2mlp_dsl.train.job import Summary
from s2mlp_dsl.train.measure import measure
from s2mlp_dsl.train.order import Order, Share
from s2mlp_dsl.train.recorder import Recorder
from s2mlp_dsl.train.run import Run
from s2mlp_dsl.train.signals import Stop
from s2mlp_dsl.train.state import Clock, Sums, Tally
from s2mlp_dsl.train.step import Stepper
from s2mlp_dsl.train.waiting import Waiting
from s2mlp_dsl.train.world import World

LOG_STEPS = 10
SAVE_SECONDS = 600  # within an epoch; each epoch's end is saved anyway


class Loop:
    """One run, from where its folder says it stands to its end.

    Every rank runs it, and all that ranks must do together depends only on
    what they agree on: the step, and the answers of `_agreed`.
    """

    def __init__(
        self,
        run: Run,
        model: nn.Module,
        data: Data,
        order: Order,
        place: Place,
        world: World,
        recorder: Recorder,
        stop: Stop,
    ) -> None:
        self.run, self.model, self.data = run, model, data
        self.order, self.place, self.world = order, place, world
        self.recorder, self.stop, self.recipe = recorder, stop, run.job.recipe
        self.stepper = Stepper(
            model, self.recipe, run.job.classes, run.schedule, place, world
        )
        self.figures = Figures(run, place, world)
        self.state = restore.fresh_state(run)
        self.saved: Path | None = None
        found = restore.restored(run, model, self.stepper, recorder.reporter)
        if found is not None:
            self.state, self.saved = found.state, found.path
        world.wait()  # nobody writes before all have read
        if found is not None and world.leads:
            checkpoints.point_at(found.path)
        self.tally = Tally(world, self.state.interval)
        recorder.begin(self.state.metrics_lines)
        self.began = self.saved_at = time.monotonic()
        self.earlier = self.state.clock.total

    def finish(self) -> Summary:
        """Run all remaining epochs. Raises Interrupted and RunError."""
        share = Share(self.world.rank, self.world.size, self.recipe.micro_batch)
        requests = self.order.requests(self.state.step, share)
        with (
            closing(self.recorder),
            closing(self.data.train.batches(requests)) as batches,
        ):
            while self.state.epoch < self.order.epochs:
                self._train(Waiting(batches))
                self._test()
            self._move(clock=self._clock())
            summary = self.figures.summary(self.state)
            self.recorder.finished(summary)
        if self.stepper.average is not None:
            self.stepper.average.settle()
        return summary

    def _train(self, batches: Waiting[Batch]) -> None:
        self.model.train()
        per_epoch, steps = self.order.steps_per_epoch, self.order.steps
        while self.state.position < per_epoch and self.state.step < steps:
            self._step(batches)
            if self.state.position % LOG_STEPS == 0:
                self._log()
            late = time.monotonic() - self.saved_at > SAVE_SECONDS
            signal, save = self._agreed(late)
            if signal:
                self._leave(signal)
            if save:
                self._save()

    def _step(self, batches: Waiting[Batch]) -> None:
        start, waited = time.monotonic(), batches.seconds
        done = self.stepper(batches, self.state.step, self.saved)
        self.tally.add(done.loss, done.correct, len(done.skipped))
        self.recorder.skipped(done.skipped)
        spent, clock = time.monotonic() - start, self.state.clock
        self._move(
            step=self.state.step + 1,
            position=self.state.position + 1,
            clock=Clock(
                total=clock.total,
                training=clock.training + spent,
                waiting=clock.waiting + batches.seconds - waited,
                interval=clock.interval + spent,
                epoch=clock.epoch + spent,
            ),
        )
        self.recorder.stepped(self.state.step, self.order.steps)

    def _log(self) -> None:
        sums, clock = self._taken(), self._clock()
        self.recorder.logged(self.figures.log_event(self.state, sums, clock))
        self._move(
            epoch_sums=self.state.epoch_sums.plus(sums),
            clock=clock.model_copy(update={"interval": 0.0}),
        )

    def _taken(self) -> Sums:
        sums = self.tally.read()
        self.tally = Tally(self.world, Sums())
        self._move(skipped=self.state.skipped + sums.skipped)
        return sums

    def _test(self) -> None:
        average = self.stepper.average
        with average.in_place() if average is not None else nullcontext():
            result = measure(
                self.model,
                self.data.test,
                self.place,
                self.recipe,
                self.run.class_names,
                self.world,
                stopped=lambda: bool(self._agreed()[0]),
            )
        if result is None:
            self._leave(self._agreed()[0])
        sums = self.state.epoch_sums.plus(self._taken())
        event = self.figures.epoch_event(self.state, sums, self._clock(), result)
        self.recorder.tested(event, self.order.epochs)
        epoch, best = self.state.epoch + 1, self.state.best_accuracy
        if best is None or result.accuracy > best:
            self._move(best_accuracy=result.accuracy, best_epoch=epoch)
        self._move(
            epoch=epoch,
            position=0,
            epoch_sums=Sums(),
            last_loss=result.loss,
            last_accuracy=result.accuracy,
            unreadable=result.unreadable,
            clock=self.state.clock.model_copy(update={"interval": 0.0, "epoch": 0.0}),
        )
        self._save()
        signal = self._agreed()[0]
        if signal and epoch < self.order.epochs:
            self._leave(signal)

    def _agreed(self, late: bool = False) -> tuple[int, bool]:
        """The signal to stop, 0 for none, and whether to save, as all ranks see it."""
        due = late and self.world.leads
        signal, save = self.world.most(self.stop.signal or 0, due)
        return signal, bool(save)

    def _leave(self, signal: int) -> NoReturn:
        raise Interrupted(signal, self._save())

    def _save(self) -> Path:
        # A checkpoint of this step is there if only the epoch's test came
        # since, or nothing at all. It is valid, and a test can be repeated.
        name = checkpoints.name_of(self.state.step)
        if self.saved is None or self.saved.name != name:
            self._move(
                interval=self.tally.read(),
                metrics_lines=self.recorder.lines,
                scaler=restore.scale_of(self.stepper),
                clock=self._clock(),
            )
            if self.world.leads:
                self.recorder.sync()
                restore.save(self.run, self.model, self.stepper, self.state)
            self.world.wait()
            self.saved = self.run.path / checkpoints.FOLDER / name
        self.saved_at = time.monotonic()
        return self.saved

    def _clock(self) -> Clock:
        total = self.earlier + time.monotonic() - self.began
        return self.state.clock.model_copy(update={"total": total})

    def _move(self, **changes: object) -> None:
        self.state = self.state.model_copy(update=changes)
