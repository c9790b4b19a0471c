"""`s2mlp-dsl check`, in this process and in one of its own."""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest

from s2mlp_dsl.cli import main


@dataclass(frozen=True)
class Run:
    code: int
    out: str
    err: str
    seconds: float  # of work; other programs on the machine do not count


class Checker:
    """Runs the whole command line without starting Python again."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *arguments: str | Path) -> Run:
        words = ["s2mlp-dsl", "check", *map(str, arguments)]
        start = time.process_time()
        with patch.object(sys, "argv", words), pytest.raises(SystemExit) as exit:
            main()
        seconds = time.process_time() - start
        captured = self.capsys.readouterr()
        assert isinstance(exit.value.code, int)
        return Run(exit.value.code, captured.out, captured.err, seconds)


def run_process(*arguments: str | Path) -> Run:
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "s2mlp_dsl", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    seconds = time.perf_counter() - start
    return Run(done.returncode, done.stdout, done.stderr, seconds)
