"""What can stop a study; each error has the exit code of the command."""

import signal


class StudyError(Exception):
    """Something stopped the study; the message is for the user."""

    exit_code = 4


class OtherStudyError(StudyError):
    """The folder contains runs of another study."""

    exit_code = 2


class DamagedError(StudyError):
    """A file in the folder is damaged, or of another version."""


class Stopped(StudyError):
    """SIGTERM or Ctrl-C arrived; every run has saved a checkpoint."""

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number
        super().__init__(
            f"stopped by {signal.Signals(number).name}; the same command continues"
        )
