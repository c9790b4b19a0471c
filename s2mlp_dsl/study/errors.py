"""What can stop a study, each with the exit code a command line ends with."""

import signal


class StudyError(Exception):
    """Something stopped the study; the message is meant for the user."""

    exit_code = 4


class OtherStudyError(StudyError):
    """The folder holds runs of another study."""

    exit_code = 2


class DamagedError(StudyError):
    """A file in the folder is not what it was written as."""


class Stopped(StudyError):
    """SIGTERM or Ctrl-C arrived; every run has saved where it stands."""

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number
        super().__init__(
            f"stopped by {signal.Signals(number).name}; the same command continues"
        )
