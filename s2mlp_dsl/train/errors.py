"""What can stop a run, each with the exit code a command line ends with."""

import signal
from pathlib import Path


class RunError(Exception):
    """Something stopped the run; the message is meant for the user."""

    exit_code = 4


class UsageError(RunError):
    """The request makes no sense: a used folder, data that does not fit."""

    exit_code = 2


class EnvironmentFailure(RunError):
    """The request is fine, the world is not: data, disk, device or NaN."""

    exit_code = 4


class Interrupted(RunError):
    """SIGTERM or Ctrl-C arrived; everything up to here is in a checkpoint.

    `exit_code` is 128 plus the signal's number, as shells do: 143 or 130.
    """

    def __init__(self, number: int, checkpoint: Path) -> None:
        self.signal = signal.Signals(number)
        self.checkpoint = checkpoint
        self.exit_code = 128 + number
        super().__init__(
            f"stopped by {self.signal.name}; saved {checkpoint}; --resume continues"
        )
