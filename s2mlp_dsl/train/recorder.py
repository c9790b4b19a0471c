"""What a run leaves to look at: metrics, lines for a person, boards, curves.

Only the leading rank records; on the others nothing happens here.
"""

from typing import Any

from s2mlp_dsl.train.board import Board
from s2mlp_dsl.train.curves import draw_curves
from s2mlp_dsl.train.job import Summary
from s2mlp_dsl.train.metrics import Metrics
from s2mlp_dsl.train.progress import Reporter
from s2mlp_dsl.train.run import Run

SHOWN = 5  # unreadable files named; further ones are only counted


class Recorder:
    """Passes each event to all who want it."""

    def __init__(
        self, run: Run, reporter: Reporter, leads: bool, tensorboard: bool
    ) -> None:
        self.run, self.reporter, self.leads = run, reporter, leads
        self.tensorboard = tensorboard
        self.metrics: Metrics | None = None
        self.board: Board | None = None
        self.unreadable: set[str] = set()

    def begin(self, lines: int) -> None:
        """Open what is written to, with the first `lines` of the metrics."""
        if not self.leads:
            return
        self.metrics = Metrics(self.run.path, lines)
        if self.metrics.lines < lines:
            self.reporter.say(
                f"{self.metrics.path} has lost lines; going on without them"
            )
        if self.tensorboard:
            self.board = Board(self.run.path, self.metrics.steps())

    @property
    def lines(self) -> int:
        return self.metrics.lines if self.metrics is not None else 0

    def stepped(self, step: int, steps: int) -> None:
        self.reporter.stepped(step, steps)

    def logged(self, event: dict[str, Any]) -> None:
        self._write(event)
        self.reporter.logged(event)

    def tested(self, event: dict[str, Any], epochs: int) -> None:
        self._write(event)
        self.reporter.tested(event, epochs)

    def _write(self, event: dict[str, Any]) -> None:
        if self.metrics is not None:
            self.metrics.write(event)
        if self.board is not None:
            self.board.write(event)

    def skipped(self, files: tuple[str, ...]) -> None:
        """Name each unreadable file once, up to a few."""
        for reason in files:
            if reason in self.unreadable:
                continue
            self.unreadable.add(reason)
            if len(self.unreadable) <= SHOWN:
                self.reporter.say(f"skipped: {reason}")

    def sync(self) -> None:
        if self.metrics is not None:
            self.metrics.sync()

    def finished(self, summary: Summary) -> None:
        """Write how the run ended, and draw it."""
        if not self.leads:
            return
        self.sync()
        self._draw()
        self.run.finish(summary)

    def _draw(self) -> None:
        assert self.metrics is not None
        missing = draw_curves(self.run.path, self.metrics.path)
        if missing is not None:
            self.reporter.say(missing)

    def close(self) -> None:
        if self.metrics is not None:
            self.metrics.close()
        if self.board is not None:
            self.board.close()
