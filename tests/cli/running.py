"""The command line in a process of its own, as a user has it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def s2mlp(*arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run `s2mlp-dsl` and return what it printed and its exit code."""
    return subprocess.run(
        [sys.executable, "-m", "s2mlp_dsl", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
