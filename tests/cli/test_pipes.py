"""Output that nobody reads to its end, and files beside the user."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import ROOT

SPEC = "specs/s2mlp_deep.arch"


@pytest.mark.unix
@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("check", SPEC),
        ("check", SPEC, "--format", "json"),
        ("ops",),
        ("explain", "A0101"),
        ("compile", SPEC, "--emit", "torch"),
        ("compile", SPEC, "--emit", "ir-json"),
        ("diagram", SPEC),
    ],
)
def test_a_closed_pipe_is_no_error(words: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "s2mlp_dsl", *words]
    done = subprocess.run(
        command, cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


AUDITED = """
import torch
from torch import nn
class Net(nn.Module):
    def forward(self, x):
        return x
"""


def test_files_of_the_user_are_not_imported_by_our_processes(tmp_path: Path) -> None:
    for name in ("json", "random", "copy", "subprocess"):
        (tmp_path / f"{name}.py").write_text("open('imported', 'w').close()\n")
    inside = tmp_path / "code"
    inside.mkdir()
    (inside / "net.py").write_text(AUDITED)
    command = [sys.executable, "-P", "-m", "s2mlp_dsl", "audit"]
    command += [f"{inside.name}{os.sep}net.py:Net"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    assert not (tmp_path / "imported").exists()
