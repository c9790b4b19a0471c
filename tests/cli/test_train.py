"""train, eval and predict, from a spec to a class."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.cli.commands.train import Setup
from s2mlp_dsl.diagnostics import Report
from s2mlp_dsl.elaborate.models import parse_overrides
from s2mlp_dsl.elaborate.recipes import resolve_recipe
from s2mlp_dsl.elaborate.spec import load
from tests.cli.running import ROOT, s2mlp

SMALL = ("--set", "width=16", "--set", "depth=1")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run on the digits, with good enough weights."""
    out = tmp_path_factory.mktemp("runs") / "digits"
    settings = ("--set", "epochs=12", "--set", "width=32", "--set", "depth=2")
    done = s2mlp("train", "specs/digits.arch", *settings, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "% of the test images after 12 epochs" in done.stdout
    return out


def files(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_run_folder_is_refused_and_resumed(run: Path) -> None:
    before = files(run)
    again = s2mlp("train", "specs/digits.arch", "--out", run)
    assert again.returncode == 2
    assert "--resume" in again.stderr
    settings = ("--set", "epochs=12", "--set", "width=32", "--set", "depth=2")
    done = s2mlp("train", "specs/digits.arch", *settings, "--out", run, "--resume")
    assert done.returncode == 0
    assert files(run) == before


def test_eval(run: Path) -> None:
    text = s2mlp("eval", run)
    assert text.returncode == 0
    assert " of 360 test images" in text.stdout
    data = json.loads(s2mlp("eval", run, "--format", "json").stdout)
    assert 0.5 < data["accuracy"] <= 1
    assert data["images"] == 360
    assert len(data["classes"]) == 10


def test_predict(run: Path, tmp_path: Path) -> None:
    digits = load_digits()
    pixels = (digits.images[0] * 255 / 16).astype(np.uint8)
    image = tmp_path / "zero.png"
    Image.fromarray(pixels).save(image)
    done = s2mlp("predict", run, image, "--format", "json", "--top", "3")
    (prediction,) = json.loads(done.stdout)
    assert len(prediction["top"]) == 3
    assert prediction["top"][0]["name"] == str(digits.target[0])
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"not an image")
    failed = s2mlp("predict", run, broken)
    assert failed.returncode == 4
    assert "broken.png" in failed.stderr


def test_paper_recipe_without_its_data(tmp_path: Path) -> None:
    deep = ROOT / "specs" / "s2mlp_deep.arch"
    done = s2mlp("train", deep, cwd=tmp_path)
    assert done.returncode == 4
    assert "`paper`, the shipped recipe" in done.stderr
    assert "--data" in done.stderr
    assert str(tmp_path) in done.stderr


def test_recipes_are_chosen(tmp_path: Path) -> None:
    small = ("--set", "width=8", "--set", "depth=1", "--set", "epochs=2")
    spec = ROOT / "specs" / "s2mlp.arch"
    recipes = ROOT / "specs" / "recipes.arch"
    size = ("--set", "size=32", "--set", "classes=3")
    done = s2mlp(
        *("train", spec, *small, *size, "--recipe", f"{recipes}:dry_run"),
        *("--set", "data=synthetic(images = 64)", "--out", tmp_path / "run"),
    )
    assert done.returncode == 0, done.stderr
    both = s2mlp("train", f"{recipes}:paper", "--recipe", "dry_run")
    assert both.returncode == 2
    unknown = s2mlp("train", "specs/digits.arch", "--recipe", "nope")
    assert unknown.returncode == 2
    assert "there is `quick`" in unknown.stderr


def test_settings_are_checked_like_arguments(tmp_path: Path) -> None:
    out = ("--out", tmp_path / "run")
    wrong = s2mlp("train", "specs/digits.arch", "--set", "epochs=1.5", *out)
    assert wrong.returncode == 1
    assert "A0602" in wrong.stderr
    unknown = s2mlp("train", "specs/digits.arch", "--set", "epoch=3", *out)
    assert unknown.returncode == 2
    assert "`epochs`" in unknown.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.unix
def test_stopped_and_resumed_is_bit_identical(tmp_path: Path) -> None:
    def train(out: Path, *more: str) -> list[str]:
        command = [sys.executable, "-m", "s2mlp_dsl", "train", "specs/digits.arch"]
        return [*command, *SMALL, "--set", "epochs=12", "--out", str(out), *more]

    whole, cut = tmp_path / "whole", tmp_path / "cut"
    subprocess.run(train(whole), cwd=ROOT, check=True, capture_output=True)
    process = subprocess.Popen(train(cut), cwd=ROOT, stdout=subprocess.DEVNULL)
    while not list(cut.glob("checkpoints/step_*/manifest.json")):
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait() == 143
    # `--resume` goes on where a run was, and starts one where nothing is yet.
    subprocess.run(train(cut, "--resume"), cwd=ROOT, check=True, capture_output=True)
    weights = [
        next(one.glob("checkpoints/*132/model.safetensors")) for one in (whole, cut)
    ]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_a_compiled_gpu_run_gets_the_shift_made_for_it() -> None:
    """Which module computes a shift changes neither weights nor hashes."""
    spec = load(ROOT / "specs/digits.arch")
    declared = spec.choose_recipe(None)
    jobs = []
    for device, compiled, shift in (
        ("cuda:0", "on", "GatheredShift"),
        ("cuda:0", "off", "SlicedShift"),
        ("cpu", "on", "SlicedShift"),
    ):
        recipe = resolve_recipe(
            declared, parse_overrides({"compile": compiled}, Report()), Report()
        )
        program = elaborate(spec, None, {"width": "16", "depth": "1"})
        setup = Setup(program, recipe, declared, None, None, device)
        model, job = setup.begin(quiet=True)
        names = {type(module).__name__ for module in model.modules()}
        assert {name for name in names if "Shift" in name} == {shift}
        jobs.append(job.model_copy(update={"recipe": None}))
    assert jobs[0] == jobs[1] == jobs[2]
