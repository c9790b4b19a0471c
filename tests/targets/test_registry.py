"""Targets and shift implementations by name: ours, and those that packages bring."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from s2mlp_dsl import registry
from s2mlp_dsl.api import elaborate
from s2mlp_dsl.targets import TARGETS
from tests.cli.running import ROOT
from tests.lower.specs import program

COUNTS = '''"""Parameters of each tensor, as CSV: a whole target."""

from s2mlp_dsl.analysis.cost import cost_table
from s2mlp_dsl.targets import Request, Target


class Counts(Target):
    api = 1
    suffix = ".csv"
    doc = "parameters of every operator, as CSV"

    def emit(self, request: Request) -> bytes:
        rows = cost_table(request.program.model)
        return "".join(f"{row.path},{row.params}\\n" for row in rows).encode()
'''
ROLLED = '''"""A shift implementation for cyclic shifts along rows."""

from pathlib import Path

from s2mlp_dsl.lower.shift_implementations import ShiftImplementation


class Rolled(ShiftImplementation):
    api = 1
    doc = "torch.roll"
    module = "RolledShift"
    modules = Path(__file__).with_name("rolled_modules.py")
'''
MODULES = '''"""What `rolled` runs."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class RolledShift(nn.Module):
    """Moves channels to the right, cyclically."""

    def __init__(self, groups: Sequence[tuple[int, int, int]], edge: str) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        parts = torch.split(x, [channels for channels, _, _ in self.groups], dim=-1)
        moved = [
            torch.cat((part[:, :, -right:], part[:, :, :-right]), dim=2)
            for part, (_, right, _) in zip(parts, self.groups)
        ]
        return torch.cat(moved, dim=-1)
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package as pip leaves it, with a target and a shift implementation."""
    info = tmp_path / "others-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: others\nVersion: 1.0\n"
    )
    (info / "entry_points.txt").write_text(
        "[s2mlp_dsl.targets]\ncounts = counting:Counts\nbroken = counting:Nothing\n"
        "[s2mlp_dsl.shift_implementations]\nrolled = rolled:Rolled\n"
    )
    (tmp_path / "counting.py").write_text(COUNTS)
    (tmp_path / "rolled.py").write_text(ROLLED)
    (tmp_path / "rolled_modules.py").write_text(MODULES)
    monkeypatch.syspath_prepend(tmp_path)
    registry.forget_packages()
    yield tmp_path
    monkeypatch.undo()
    registry.forget_packages()
    for name in ("counting", "rolled"):
        sys.modules.pop(name, None)


def test_a_target_of_a_package_is_one_file(package: Path) -> None:
    assert "counts" in TARGETS and TARGETS.owner("counts") == "others 1.0"
    assert TARGETS.docs()["counts"] == "parameters of every operator, as CSV"
    text = program("digits").emit("counts").decode()
    assert "head,650" in text.splitlines()


def test_the_command_knows_it(package: Path) -> None:
    """In a process that finds the package as it starts."""
    for words, expected in (
        (["--help"], "counts: parameters of every operator"),
        (["specs/digits.arch", "--emit", "counts"], "head,650"),
        (["specs/digits.arch", "--emit", "ir"], "model digits"),
    ):
        main = "from s2mlp_dsl.cli import main; main()"
        run = f"import sys; sys.path.insert(0, {str(package)!r}); {main}"
        done = subprocess.run(
            [sys.executable, "-c", run, "compile", *words],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert expected in re.sub(r"\s+", " ", done.stdout)


def test_a_broken_one_troubles_only_who_asks_for_it(package: Path) -> None:
    assert "has no attribute 'Nothing'" in TARGETS.docs()["broken"]
    assert program("digits").emit("ir")
    with pytest.raises(registry.RegistrationError, match=r"`broken` of others 1\.0"):
        program("digits").emit("broken")


def test_a_shift_implementation_of_a_package(package: Path) -> None:
    shift = "shift s {\n    edge circular\n    1/2 right\n    1/2 left\n}\n"
    model = "model m {\n    image(4, 3, 5)\n    shift(s)\n}\n"
    one = elaborate(f"edition 1\n{shift}{model}")
    assert "class RolledShift(nn.Module):" in one.source(lowering="rolled").text
    x = torch.randn(2, 4, 3, 5)
    assert torch.equal(one.build(lowering="rolled")(x), one.build()(x))


def test_an_unknown_target() -> None:
    with pytest.raises(KeyError, match="nothing"):
        program("digits").emit("nothing")


def test_help_has_every_target() -> None:
    from s2mlp_dsl.cli.app import app

    shown = CliRunner().invoke(app, ["compile", "--help"], standalone_mode=False)
    text = re.sub(r"\s", "", shown.output)
    for name, doc in TARGETS.docs().items():
        assert re.sub(r"\s", "", f"{name}: {doc}") in text
