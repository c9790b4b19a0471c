"""What can be done with a run, and before one, from the command line."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from s2mlp_dsl.cli.runs import rebuild
from s2mlp_dsl.train import Run, checkpoint
from tests.cli.running import ROOT, s2mlp
from tests.recipes import Recipe

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
    assert "50: 5 epochs of 11, batch 128, 4 × 32 a process" in done.stdout
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
        "for name in ('s2mlp_dsl', 'safetensors', 'torchvision', 'numpy', 'PIL'):\n"
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
    # It answers as the run's own model does.
    model, _ = rebuild(run)
    found, _ = checkpoint.newest(run)
    assert found is not None and found.average is not None
    model.load_state_dict(found.tested)
    opened = Run.open(run)
    x = opened.preprocess.normalise(torch.arange(64.0).reshape(1, 1, 8, 8) / 64)
    with torch.no_grad():
        expected = model.eval()(x)
    assert torch.allclose(torch.tensor(json.loads(alone.stdout)), expected, atol=1e-6)
    checks = [sys.executable, "load.py"]
    done = subprocess.run(checks, cwd=out, capture_output=True, text=True, check=True)
    assert done.stdout == "Digits: 10 classes, loaded\n"
    recipe = json.loads((out / "recipe.json").read_text())
    assert recipe["drop_path"] == 0.1 and recipe["ema"] == 0.99
    again = s2mlp("export-run", run, "-o", out)
    assert again.returncode == 2
    assert "not empty" in again.stderr


def test_predict_takes_folders_and_gives_five(run: Path, tmp_path: Path) -> None:
    for number in range(3):
        pixels = np.full((8, 8), 40 * number, dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    text = s2mlp("predict", run, tmp_path)
    assert text.returncode == 0, text.stderr
    lines = text.stdout.splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        str(tmp_path / f"{number}.png") for number in range(3)
    ]
    assert all(line.count("%") == 5 for line in lines)
    data = json.loads(s2mlp("predict", run, tmp_path, "--format", "json").stdout)
    assert len(data) == 3
    for prediction in data:
        shares = [guess["probability"] for guess in prediction["top"]]
        assert len(shares) == 5 and shares == sorted(shares, reverse=True)


def test_predict_answers_the_others_and_exits_with_4(run: Path, tmp_path: Path) -> None:
    for name in ("a.png", "z.png", "caf\udce9.png"):
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(os.fsencode(tmp_path / name))
    (tmp_path / "bad.png").write_text("not an image")
    (tmp_path / "._a.png").write_bytes(b"\0\5\x16\7")
    done = s2mlp("predict", run, tmp_path, tmp_path / "missing.png")
    assert done.returncode == 4
    answered = [line.split(": ")[0] for line in done.stdout.splitlines()]
    expected = ("a.png", "caf\\xe9.png", "z.png")
    assert answered == [f"{tmp_path}/{name}" for name in expected]
    assert "1 left out (hidden or system files and folders)" in done.stderr
    assert f"error: cannot read the image {tmp_path}/bad.png: " in done.stderr
    assert f"error: cannot read the image {tmp_path}/missing.png: " in done.stderr


EVERYTHING = {
    "data": "synthetic(images = 64)",
    "epochs": "3",
    "batch": "16",
    "micro_batch": "8",
    "optimizer": "sgd(lr = 0.05, momentum = 0.8)",
    "schedule": "step(step_size = 1, gamma = 1/2)",
    "augment": "[horizontal_flip(0.25), mixup]",
    "repeated_augmentation": "2",
    "label_smoothing": "5%",
    "drop_path": "1/10",
    "dropout": "1/10",
    "init": "xavier_uniform(of = [linear])",
    "train_fraction": "1/2",
    "grad_clip": "2",
    "ema": "0.9",
    "precision": "bf16",
    "gradient_checkpointing": "on",
    "compile": "off",
    "deterministic": "on",
    "corrupt": "skip",
    "workers": "0",
    "seed": "7",
}


def test_any_setting_is_replaced_and_what_is_resolved_is_kept(tmp_path: Path) -> None:
    assert {*EVERYTHING, "steps"} == set(Recipe.model_fields)
    settings = [
        word
        for key, value in EVERYTHING.items()
        for word in ("--set", f"{key}={value}")
    ]
    small = ("--set", "width=8", "--set", "depth=2")
    command = ("train", "specs/digits.arch", *small, *settings)
    dry = s2mlp(*command, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    planned = json.loads(dry.stdout.split("recipe    ")[1])
    done = s2mlp(*command, "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    kept = json.loads((tmp_path / "run/run.json").read_text())["job"]["recipe"]
    assert kept == planned
    assert kept["optimizer"] == {
        "kind": "sgd",
        "lr": 0.05,
        "weight_decay": 1e-4,
        "momentum": 0.8,
    }
    assert kept["schedule"]["gamma"] == 0.5 and kept["label_smoothing"] == 0.05
    assert [one["kind"] for one in kept["augment"]] == ["horizontal_flip", "mixup"]
    plain = {key: value for key, value in kept.items() if not isinstance(value, dict)}
    assert plain["precision"] == "bf16" and plain["seed"] == 7
    assert plain["deterministic"] is True and plain["compile"] is False


def test_weights_of_a_run_begin_another(run: Path, tmp_path: Path) -> None:
    settings = ("--set", "epochs=3", "--set", "width=16", "--set", "depth=2")
    out = ("--out", tmp_path / "run")
    words = ("train", "specs/digits.arch", *settings, "--init-from", run, *out)
    refused = s2mlp(*words)
    assert refused.returncode == 2
    assert "another model; --partial would load" in refused.stderr
    assert "new: stack.1.linear1.weight (not there)" in refused.stderr
    assert not (tmp_path / "run").exists()
    done = s2mlp(*words, "--partial")
    assert done.returncode == 0, done.stderr
    assert "tensors" in done.stderr and "new: " in done.stderr
    start = json.loads((tmp_path / "run/run.json").read_text())["job"]["start"]
    assert start["source"] == str(run) and len(start["sha256"]) == 64
    missing = s2mlp("train", "specs/digits.arch", "--init-from", "nowhere.safetensors")
    assert missing.returncode == 4


def test_a_run_whose_model_was_changed_says_what_differs(
    run: Path, tmp_path: Path
) -> None:
    """As after a change of the naming rule: a head by another name, and a label."""
    edited = tmp_path / "run"
    shutil.copytree(run, edited)
    text = (edited / "model.arch").read_text()
    assert text.count("head: linear(10)") == 1
    changed = text.replace("head: ", "top: ")
    old = Run.open(edited)
    job = old.job.model_copy(update={"model_text": changed})
    old.model_copy(update={"job": job}).create()
    image = tmp_path / "one.png"
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(image)
    for words in (("eval", edited), ("predict", edited, image)):
        done = s2mlp(*words)
        assert done.returncode == 2
        assert "new: top.weight (not there)" in done.stderr
        assert "not used: head.bias, head.weight" in done.stderr
        done = s2mlp(*words, "--partial")
        assert (done.returncode, "new: top.bias" in done.stderr) == (0, True)


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
