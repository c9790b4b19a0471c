"""The training loop: steps, logs, tests and checkpoints, in that order."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from torch import nn

from s2mlp_dsl.train import checkpoint as checkpoints
from s2mlp_dsl.train import figures
from s2mlp_dsl.train.data import Batch, Data
from s2mlp_dsl.train.device import Place
from s2mlp_dsl.train.errors import Interrupted
from s2mlp_dsl.train.evaluate import load_weights, measure
from s2mlp_dsl.train.job import Summary
from s2mlp_dsl.train.metrics import Metrics
from s2mlp_dsl.train.optimizer import load_state_tensors, state_tensors
from s2mlp_dsl.train.order import Order
from s2mlp_dsl.train.progress import Reporter
from s2mlp_dsl.train.run import Run, refuse_another
from s2mlp_dsl.train.signals import Stop
from s2mlp_dsl.train.state import Clock, State, Sums, Tally
from s2mlp_dsl.train.step import Stepper

LOG_STEPS = 10
SAVE_SECONDS = 600  # within an epoch; each epoch's end is saved anyway


class Loop:
    """One run, from where its folder says it stands to its end."""

    def __init__(
        self,
        run: Run,
        model: nn.Module,
        data: Data,
        order: Order,
        place: Place,
        reporter: Reporter,
        stop: Stop,
    ) -> None:
        self.run, self.model, self.data = run, model.to(place.device), data
        self.order, self.place, self.reporter, self.stop = order, place, reporter, stop
        self.recipe = run.job.recipe
        self.stepper = Stepper(
            self.model, self.recipe, run.job.classes, run.schedule, place
        )
        self.saved: Path | None = None
        self.state = self._restored(
            State(
                weight_hash=run.job.weight_hash,
                function_hash=run.job.function_hash,
                schedule_hash=run.schedule.digest(),
            )
        )
        self.tally = Tally(place.device, self.state.interval)
        self.metrics = Metrics(run.path, self.state.metrics_lines)
        if self.metrics.lines < self.state.metrics_lines:
            reporter.say(f"{self.metrics.path} has lost lines; going on without them")
        self.began = self.saved_at = time.monotonic()
        self.earlier = self.state.clock.total

    def finish(self) -> Summary:
        """Run all remaining epochs. Raises Interrupted, UsageError, WorldError."""
        requests = self.order.requests(self.state.step)
        with (
            closing(self.metrics),
            closing(self.data.train.batches(requests)) as batches,
        ):
            while self.state.epoch < self.order.epochs:
                self._train(batches)
                self._test()
        self._move(clock=self._clock())
        summary = figures.summary(self.run, self.state, self.place)
        self.run.finish(summary)
        return summary

    def _train(self, batches: Iterator[Batch]) -> None:
        self.model.train()
        while self.state.position < self.order.steps_per_epoch:
            self._step(batches)
            if self.state.position % LOG_STEPS == 0:
                self._log()
            self._leave_if_told()
            if time.monotonic() - self.saved_at > SAVE_SECONDS:
                self._save()

    def _step(self, batches: Iterator[Batch]) -> None:
        start = time.monotonic()
        batch = next(batches)
        fetched = time.monotonic()
        loss, correct = self.stepper(batch, self.state.step, self.saved)
        self.tally.add(loss, correct)
        spent = time.monotonic() - start
        clock = self.state.clock
        self._move(
            step=self.state.step + 1,
            position=self.state.position + 1,
            clock=Clock(
                total=clock.total,
                training=clock.training + spent,
                waiting=clock.waiting + fetched - start,
                interval=clock.interval + spent,
                epoch=clock.epoch + spent,
            ),
        )
        self.reporter.stepped(self.state.step, self.order.steps)

    def _log(self) -> None:
        sums, clock = self.tally.read(), self._clock()
        event = figures.log_event(self.run, self.state, sums, clock)
        self.metrics.write(event)
        self.reporter.logged(event)
        self.tally = Tally(self.place.device, Sums())
        self._move(
            epoch_sums=self.state.epoch_sums.plus(sums),
            clock=clock.model_copy(update={"interval": 0.0}),
        )

    def _test(self) -> None:
        result = measure(
            self.model,
            self.data.test,
            self.place,
            self.recipe,
            self.run.class_names,
            stopped=lambda: bool(self.stop),
        )
        if result is None:
            self._leave_if_told()
        assert result is not None
        sums = self.state.epoch_sums.plus(self.tally.read())
        event = figures.epoch_event(self.run, self.state, sums, self._clock(), result)
        self.metrics.write(event)
        self.reporter.tested(event, self.order.epochs)
        self.tally = Tally(self.place.device, Sums())
        epoch, best = self.state.epoch + 1, self.state.best_accuracy
        if best is None or result.accuracy > best:
            self._move(best_accuracy=result.accuracy, best_epoch=epoch)
        self._move(
            epoch=epoch,
            position=0,
            epoch_sums=Sums(),
            last_loss=result.loss,
            last_accuracy=result.accuracy,
            clock=self.state.clock.model_copy(update={"interval": 0.0, "epoch": 0.0}),
        )
        self._save()
        if epoch < self.order.epochs:
            self._leave_if_told()

    def _leave_if_told(self) -> None:
        if self.stop.signal is not None:
            raise Interrupted(self.stop.signal, self._save())

    def _save(self) -> Path:
        # A checkpoint of this step is there if only the epoch's test came
        # since, or nothing at all. It is valid, and a test can be repeated.
        if self.saved is None or self.saved.name != checkpoints.name_of(
            self.state.step
        ):
            self._move(
                interval=self.tally.read(),
                metrics_lines=self.metrics.lines,
                clock=self._clock(),
            )
            self.metrics.sync()
            self.saved = checkpoints.save(
                self.run.path,
                self.model.state_dict(),
                state_tensors(self.model, self.stepper.optimizer),
                self.state,
            )
        self.saved_at = time.monotonic()
        return self.saved

    def _restored(self, fresh: State) -> State:
        if not checkpoints.stored(self.run.path):
            return fresh
        found, skipped = load_weights(
            self.model, self.run, None, self.run.job.weight_hash
        )
        for reason in skipped:
            self.reporter.say(f"skipped {reason}")
        hashes = {"weight_hash", "function_hash", "schedule_hash"}
        refuse_another(
            found.path,
            found.state.model_dump(include=hashes),
            fresh.model_dump(include=hashes),
        )
        load_state_tensors(self.model, self.stepper.optimizer, found.optimizer)
        self.reporter.say(f"resuming from {found.path}")
        self.saved = found.path
        return found.state

    def _clock(self) -> Clock:
        total = self.earlier + time.monotonic() - self.began
        return self.state.clock.model_copy(update={"total": total})

    def _move(self, **changes: object) -> None:
        self.state = self.state.model_copy(update=changes)
