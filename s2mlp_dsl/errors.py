"""What can stop a run, each with the exit code of a command that it ends."""

import signal
from pathlib import Path


class RunError(Exception):
    """Something stopped the run; the message is written for the user."""

    exit_code = 4


class UsageError(RunError):
    """The request is invalid: a folder in use, data that does not fit the model."""

    exit_code = 2


class EnvironmentFailure(RunError):
    """The request is valid, but data, disk or device failed, or a loss is NaN."""

    exit_code = 4


class Interrupted(RunError):
    """SIGTERM or Ctrl-C arrived; all progress is in a checkpoint.

    `exit_code` is 128 plus the signal's number, as in a shell: 143 or 130.
    """

    def __init__(self, number: int, checkpoint: Path) -> None:
        self.signal = signal.Signals(number)
        self.checkpoint = checkpoint
        self.exit_code = 128 + number
        super().__init__(
            f"stopped by {self.signal.name}; saved {checkpoint}; --resume continues"
        )
