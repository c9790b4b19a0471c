"""What a run reports: a bar or lines for people, metrics.jsonl, TensorBoard, curves."""

import hashlib
import json
import os
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from s2mlp_dsl import disk
from s2mlp_dsl.errors import EnvironmentFailure, UsageError
from s2mlp_dsl.escape import plain
from s2mlp_dsl.train.checkpoint import TrainState
from s2mlp_dsl.train.curves import draw_curves
from s2mlp_dsl.train.events import (
    Event,
    damage_text,
    read_events,
    read_lines,
)
from s2mlp_dsl.train.job import Summary
from s2mlp_dsl.train.run import Run

METRICS, TENSORBOARD = "metrics.jsonl", "tensorboard"
PLAIN_SECONDS = 30  # between two plain lines within an epoch
MOST_NAMED = 5  # unreadable files named; further ones are only counted


class Display:
    """A progress bar on a terminal, else plain lines; nothing if `quiet`."""

    def __init__(self, quiet: bool, is_main: bool = True) -> None:
        quiet, self.is_main = quiet or not is_main, is_main
        self.console = Console(quiet=quiet, highlight=False, soft_wrap=True)
        self.bar: Progress | None = None
        self.last_line = time.monotonic()
        if self.console.is_terminal and not quiet:
            self.bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=None),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[figures]}"),
                console=self.console,
                transient=True,
            )
            self.task = self.bar.add_task("steps", figures="")

    def __enter__(self) -> "Display":
        if self.bar is not None:
            self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.bar is not None:
            self.bar.stop()

    def say(self, text: str) -> None:
        """Print a line."""
        self.console.print(plain(text), markup=False)

    def warn(self, text: str) -> None:
        """Print a line that matters even to who wants no progress."""
        if self.console.quiet and self.is_main:
            print(plain(text), file=sys.stderr)
        self.say(text)

    def step(self, step: int, steps: int) -> None:
        """`step` of `steps` are done."""
        if self.bar is not None:
            self.bar.update(self.task, completed=step, total=steps)

    def train_event(self, event: dict[str, Any]) -> None:
        """The figures since the last time, as in metrics.jsonl."""
        text = (
            f"loss {event['loss']:.4f}  train {event['train_accuracy']:.1%}  "
            f"{speed_text(event)}"
        )
        if self.bar is not None:
            self.bar.update(self.task, figures=text)
        elif time.monotonic() - self.last_line > PLAIN_SECONDS:
            self._line(f"step {event['step']:,}  {text}")

    def epoch_event(self, event: dict[str, Any], epochs: int) -> None:
        """The figures of a finished epoch, as in metrics.jsonl."""
        self._line(
            f"epoch {event['epoch']:>{len(str(epochs))}}/{epochs}  "
            f"loss {event['loss']:.4f}  train {event['train_accuracy']:.1%}  "
            f"test {event['test_accuracy']:.1%} (loss {event['test_loss']:.4f})  "
            f"lr {event['lr']:.1e}  "
            f"{speed_text(event)}"
        )

    def _line(self, text: str) -> None:
        self.last_line = time.monotonic()
        self.say(text)


def speed_text(event: dict[str, Any]) -> str:
    """Images/s of an event, and the MFU where it is known."""
    time = event["time"]
    used = f"  {time['mfu']:.0%} MFU" if "mfu" in time else ""
    return f"{time['images_per_second']:,.0f} images/s{used}"


class MetricsFile:
    """Appends to metrics.jsonl: one JSON object per log line and per epoch."""

    def __init__(self, run: Path, state: TrainState) -> None:
        """Keep the undamaged lines up to a checkpoint; later ones are written again.

        `damage` says what is wrong with them, or is empty.
        """
        self.path = run / METRICS
        lines = read_lines(self.path)[: state.metrics_lines]
        events, damaged = read_events(lines)
        left_out = set(damaged)
        whole = [line for n, line in enumerate(lines, 1) if n not in left_out]
        pairs = zip(whole, events, strict=True)
        kept = [line for line, event in pairs if _is_before(event, state)]
        self.lines, self.digest = len(kept), hashlib.sha256()
        for line in kept:
            self.digest.update(line + b"\n")
        self.damage = ""
        if damaged:
            self.damage = damage_text(self.path, damaged)
        elif self.lines < state.metrics_lines:
            self.damage = f"{self.path} has lost lines; going on without them"
        elif state.metrics_sha256 not in (None, self.digest.hexdigest()):
            self.damage = f"{self.path} was changed since it was written"
        self.last_step = max((int(event["step"]) for event in events), default=0)
        disk.replace(self.path, b"".join(line + b"\n" for line in kept))
        self.file = os.fdopen(disk.appending(self.path), "ab")

    def write(self, event: dict[str, Any]) -> None:
        """Add a line, at once visible to whoever follows the file."""
        line = json.dumps(event, allow_nan=False).encode() + b"\n"
        with disk.reported(self.path, "write"):
            self.file.write(line)
            self.file.flush()
        self.lines += 1
        self.digest.update(line)

    def sync(self) -> None:
        """Wait until all lines are on disk: a checkpoint counts on them."""
        with disk.reported(self.path, "write"):
            os.fsync(self.file.fileno())

    def close(self) -> None:
        with disk.reported(self.path, "write"):
            self.file.close()


def _is_before(event: Event, state: TrainState) -> bool:
    """Whether an event was written before a checkpoint of that state."""
    if event["event"] == "epoch" and event["epoch"] > state.epoch:
        return False
    return bool(event["step"] <= state.step)


class TensorBoard:
    """Writes the figures of metrics.jsonl for `tensorboard --logdir RUN`."""

    def __init__(self, run: Path, step: int) -> None:
        """`step` is how far the metrics go; later figures are written again."""
        require_tensorboard()
        from torch.utils.tensorboard import SummaryWriter

        try:
            self.writer = SummaryWriter(str(run / TENSORBOARD), purge_step=step + 1)
        except OSError as error:
            raise EnvironmentFailure(
                f"cannot write {run / TENSORBOARD}: {error}"
            ) from error

    def write(self, event: dict[str, Any]) -> None:
        """The numbers of an event, under its name."""
        group = {"steps": "train", "epoch": "epoch"}[event["event"]]
        figures = {**event, **event["time"]}
        for name in figures.keys() - {"event", "step", "epoch", "time"}:
            self.writer.add_scalar(f"{group}/{name}", figures[name], event["step"])

    def close(self) -> None:
        self.writer.close()


def require_tensorboard() -> None:
    """Raise UsageError if TensorBoard is not installed."""
    if find_spec("tensorboard") is None:
        raise UsageError(
            "--tensorboard needs TensorBoard: pip install 's2mlp-dsl[tensorboard]'"
        )


class Logger:
    """Writes a run's events; does nothing on ranks other than the main one."""

    def __init__(
        self,
        run: Run,
        display: Display,
        is_main: bool,
        tensorboard: bool,
        state: TrainState,
    ) -> None:
        """Open the files, with the metrics up to that state."""
        self.run, self.display = run, display
        self.metrics: MetricsFile | None = None
        self.board: TensorBoard | None = None
        self.unreadable: set[str] = set()
        if not is_main:
            return
        self.metrics = MetricsFile(run.path, state)
        if self.metrics.damage:
            display.warn(self.metrics.damage)
        if tensorboard:
            self.board = TensorBoard(run.path, self.metrics.last_step)

    def written(self) -> dict[str, Any]:
        """How many lines of metrics there are, and their SHA-256, for a TrainState."""
        if self.metrics is None:
            return {}
        digest = self.metrics.digest.hexdigest()
        return {"metrics_lines": self.metrics.lines, "metrics_sha256": digest}

    def train_event(self, event: dict[str, Any]) -> None:
        self._write(event)
        self.display.train_event(event)

    def epoch_event(self, event: dict[str, Any], epochs: int) -> None:
        self._write(event)
        self.display.epoch_event(event, epochs)

    def _write(self, event: dict[str, Any]) -> None:
        if self.metrics is not None:
            self.metrics.write(event)
        if self.board is not None:
            self.board.write(event)

    def skipped(self, reason: str) -> None:
        """Name each unreadable file once, up to a few."""
        if reason in self.unreadable:
            return
        self.unreadable.add(reason)
        if len(self.unreadable) <= MOST_NAMED:
            self.display.say(f"skipped: {reason}")

    def sync(self) -> None:
        if self.metrics is not None:
            self.metrics.sync()

    def finish(self, summary: Summary) -> None:
        """Draw the curves and write how the run ended."""
        if self.metrics is None:
            return
        self.sync()
        missing = draw_curves(self.run.path, self.metrics.path)
        if missing is not None:
            self.display.say(missing)
        self.run.finish(summary)

    def close(self) -> None:
        for file in (self.metrics, self.board):
            if file is not None:
                file.close()
