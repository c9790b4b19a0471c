"""Small models and jobs by hand, and how two runs are compared."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn

from s2mlp_dsl.train import Evaluation, Job
from tests.recipes import AdamW, Cosine, Digits, Recipe, Synthetic

SCRIPT = Path(__file__).with_name("ranks.py")


def mlp(
    image: tuple[int, int, int] = (1, 8, 8), classes: int = 10, seed: int = 0
) -> nn.Module:
    """A small model with a norm and dropout, so that both are exercised."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Flatten(),
            nn.Linear(image[0] * image[1] * image[2], 64),
            nn.LayerNorm(64),
            nn.GELU(),
            nn.Dropout(0.1),
            nn.Linear(64, classes),
        )


def recipe(**changes: Any) -> Recipe:
    """Digits for two epochs of 11 steps."""
    settings: dict[str, Any] = {
        "data": Digits(),
        "epochs": 2,
        "batch": 128,
        "optimizer": AdamW(lr=2e-3),
        "schedule": Cosine(warmup=0.5, min_lr=1e-5),
        "label_smoothing": 0.1,
        "grad_clip": 1.0,
    }
    return Recipe(**(settings | changes))


def job(chosen: Recipe | None = None, **changes: Any) -> Job:
    settings: dict[str, Any] = {
        "model_name": "mlp",
        "spec": "mlp.arch",
        "image": (1, 8, 8),
        "classes": 10,
        "function_hash": "function",
        "weight_hash": "weights",
        "model_text": "edition 1\n",
        "recipe": chosen or recipe(),
        "recipe_name": "quick",
    }
    return Job(**(settings | changes))


def synthetic_job(**changes: Any) -> Job:
    """32 random images of 3×16×16, four classes, batches of 8."""
    settings: dict[str, Any] = {"data": Synthetic(images=32), "batch": 8, "epochs": 1}
    return job(recipe(**(settings | changes)), image=(3, 16, 16), classes=4)


def metrics(run: Path) -> list[dict[str, Any]]:
    """All of metrics.jsonl but what a clock measured."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").open()]
    for line in lines:
        del line["time"]
    return lines


def weights(run: Path) -> dict[str, torch.Tensor]:
    newest = run / "checkpoints" / (run / "checkpoints/latest").read_text().strip()
    model = load_file(newest / "model.safetensors")
    optimizer = load_file(newest / "optimizer.safetensors")
    return model | {f"optimizer/{name}": tensor for name, tensor in optimizer.items()}


def assert_same_run(one: Path, other: Path) -> None:
    """Weights, optimizer state and metrics are equal bit for bit."""
    assert metrics(one) == metrics(other)
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert torch.equal(ours[name], theirs[name]), name


def snapshot(run: Path) -> dict[str, tuple[int, bytes]]:
    """Every file's time of change and content."""
    return {
        str(path.relative_to(run)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(run.rglob("*"))
        if path.is_file()
    }


def launch(ranks: int, out: Path, *more: str, restarts: int = 0) -> Evaluation:
    """Run `ranks.py` under torchrun; what it found of its run."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += [f"--nproc-per-node={ranks}", f"--max-restarts={restarts}"]
    done = subprocess.run(
        [*command, str(SCRIPT), str(out), *more],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return Evaluation.model_validate_json(out.with_suffix(".json").read_text())
