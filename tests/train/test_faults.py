"""Whatever call of the disk fails or is the last one, nothing is lost.

    pytest tests/train/test_faults.py -m slow

The two take some minutes on one core.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from .making import assert_same_run

SCRIPT = Path(__file__).with_name("faults.py")


def launch(folder: Path, *more: str) -> str:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder), *more],
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
def test_each_call_of_the_disk_fails_or_is_the_last(tmp_path: Path) -> None:
    print(launch(tmp_path, "each"))
    runs = [path for path in tmp_path.iterdir() if path.name[-1].isdigit()]
    assert len(runs) > 150
    for run in runs:
        assert_same_run(tmp_path / "whole", run)


@pytest.mark.slow
def test_forty_runs_killed_at_random_moments(tmp_path: Path) -> None:
    print(launch(tmp_path, "kill", "40"))
    for number in range(40):
        assert_same_run(tmp_path / "whole", tmp_path / f"killed{number}")
