"""The wheel, installed into an empty folder, works far from the checkout."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the built wheel's content and nothing of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation"]
    subprocess.run([*build, "-o", folder, ROOT], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    site = folder / "site"
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--target"]
    subprocess.run([*install, site, wheel], check=True, capture_output=True)
    return site


def run(site: Path, where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(
        [sys.executable, "-m", "s2mlp_dsl", *arguments],
        cwd=where,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_wheel_carries_grammar_and_specs(installed: Path, tmp_path: Path) -> None:
    place = "import s2mlp_dsl; print(s2mlp_dsl.__file__)"
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    found = subprocess.run(
        [sys.executable, "-c", place],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(installed) in found.stdout
    spec = tmp_path / "mine.arch"
    spec.write_text(
        'edition 1\nimport s2mlp from "std:s2mlp"\n'
        "model mine = s2mlp(width = 32, depth = 2, classes = 10)\n"
    )
    done = run(installed, tmp_path, "check", "mine.arch")
    assert done.returncode == 0, done.stderr
    assert "mine: image 3 × 224 × 224 → 10" in done.stdout
    assert run(installed, tmp_path, "explain", "A0203").returncode == 0
    assert run(installed, tmp_path, "compile", "mine.arch").returncode == 0


def test_wheel_holds_only_what_it_needs(installed: Path) -> None:
    own = installed / "s2mlp_dsl"
    tops = {path.name for path in installed.iterdir()}
    assert {name for name in tops if name.startswith(("tests", "docs"))} == set()
    assert (own / "grammar" / "arch.lark").is_file()
    assert (own / "specs" / "s2mlp.arch").is_file()
    assert (own / "py.typed").is_file()
