"""What a person sees of a run: a bar on a terminal, else plain lines."""

import time
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

QUIET_SECONDS = 30  # between two plain lines within an epoch


class Reporter:
    """Says how the run goes on standard output, or nothing at all."""

    def __init__(self, quiet: bool) -> None:
        self.console = Console(quiet=quiet, highlight=False, soft_wrap=True)
        self.bar: Progress | None = None
        self.spoke = time.monotonic()
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

    def __enter__(self) -> "Reporter":
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
        """A line of its own."""
        self.console.print(text, markup=False)

    def stepped(self, step: int, steps: int) -> None:
        """`step` of `steps` are done."""
        if self.bar is not None:
            self.bar.update(self.task, completed=step, total=steps)

    def logged(self, event: dict[str, Any]) -> None:
        """The figures since the last time, as in metrics.jsonl."""
        text = (
            f"loss {event['loss']:.4f}  train {event['train_accuracy']:.1%}  "
            f"{_speed(event)}"
        )
        if self.bar is not None:
            self.bar.update(self.task, figures=text)
        elif time.monotonic() - self.spoke > QUIET_SECONDS:
            self._line(f"step {event['step']:,}  {text}")

    def tested(self, event: dict[str, Any], epochs: int) -> None:
        """The figures of a finished epoch, as in metrics.jsonl."""
        self._line(
            f"epoch {event['epoch']:>{len(str(epochs))}}/{epochs}  "
            f"loss {event['loss']:.4f}  train {event['train_accuracy']:.1%}  "
            f"test {event['test_accuracy']:.1%} (loss {event['test_loss']:.4f})  "
            f"lr {event['lr']:.1e}  "
            f"{_speed(event)}"
        )

    def _line(self, text: str) -> None:
        self.spoke = time.monotonic()
        self.say(text)


def _speed(event: dict[str, Any]) -> str:
    time = event["time"]
    used = f"  {time['mfu']:.0%} MFU" if "mfu" in time else ""
    return f"{time['images_per_second']:,.0f} images/s{used}"
