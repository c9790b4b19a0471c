"""What can be done with a run, and before one, from the command line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import ROOT, s2mlp

SMALL = ("--set", "epochs=3", "--set", "width=16", "--set", "depth=1")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "digits"
    settings = (*SMALL, "--set", "drop_path=0.1", "--set", "ema=0.99")
    done = s2mlp("train", "specs/digits.arch", *settings, "--out", out)
    assert done.returncode == 0, done.stderr
    return out


def test_a_dry_run_plans_and_touches_nothing(tmp_path: Path) -> None:
    spec = ROOT / "specs" / "digits.arch"
    settings = ("--set", "steps=50", "--set", "micro_batch=40")
    done = s2mlp("train", spec, *settings, "--dry-run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "50: 5 epochs of 11, batch 128 as 4 × 32" in done.stdout
    assert "memory    about" in done.stdout
    assert '"micro_batch": 40' in done.stdout
    assert not list(tmp_path.iterdir())


def test_an_exported_run_needs_pytorch_alone(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "shared"
    done = s2mlp("export-run", run, "-o", out)
    assert done.returncode == 0, done.stderr
    names = {path.name for path in out.iterdir()}
    assert names >= {"README.md", "load.py", "model.py", "model.arch", "recipe.json"}
    assert names >= {"model.safetensors", "metrics.jsonl", "summary.json"}
    # Neither this package nor safetensors nor NumPy may be imported.
    hidden = (
        "import sys\n"
        "for name in ('s2mlp_dsl', 'safetensors', 'torchvision'):\n"
        "    sys.modules[name] = None\n"
        "import torch, load\n"
        "x = load.normalise(torch.arange(64.0).reshape(1, 1, 8, 8) / 64)\n"
        "print(load.load()(x).tolist())\n"
    )
    alone = subprocess.run(
        [sys.executable, "-c", hidden],
        cwd=out,
        env={**os.environ, "PYTHONPATH": "", "PYTHONSAFEPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert alone.returncode == 0, alone.stderr
    assert len(json.loads(alone.stdout)[0]) == 10
    again = s2mlp("export-run", run, "-o", out)
    assert again.returncode == 2
    assert "not empty" in again.stderr


def test_weights_of_a_run_begin_another(run: Path, tmp_path: Path) -> None:
    settings = ("--set", "epochs=3", "--set", "width=16", "--set", "depth=2")
    out = ("--out", tmp_path / "run")
    done = s2mlp("train", "specs/digits.arch", *settings, "--init-from", run, *out)
    assert done.returncode == 0, done.stderr
    assert "tensors" in done.stderr and "new: " in done.stderr
    start = json.loads((tmp_path / "run/run.json").read_text())["job"]["start"]
    assert start["source"] == str(run) and len(start["sha256"]) == 64
    missing = s2mlp("train", "specs/digits.arch", "--init-from", "nowhere.safetensors")
    assert missing.returncode == 4


def test_eval_shows_confusions(run: Path) -> None:
    text = s2mlp("eval", run).stdout
    assert "confusions (a row is a class" in text
    matrix = json.loads(s2mlp("eval", run, "--format", "json").stdout)["confusion"]
    assert sum(map(sum, matrix)) == 360


def test_curves_are_drawn_where_they_can_be(run: Path) -> None:
    pytest.importorskip("matplotlib")
    assert (run / "curves.svg").read_text().startswith("<?xml")


def test_a_missing_data_set_says_where_and_how(tmp_path: Path) -> None:
    spec = ROOT / "specs" / "fashion_mnist.arch"
    done = s2mlp("train", spec, cwd=tmp_path)
    assert done.returncode == 4
    for said in (f"{tmp_path}/data/FashionMNIST/raw", "gunzip", "--data DIR"):
        assert said in done.stderr
