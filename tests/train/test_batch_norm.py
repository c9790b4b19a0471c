"""Batch norm counts every batch once, alike on all ranks, and never one image alone."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from s2mlp_dsl.train import Run, UsageError, evaluate, plan, train
from s2mlp_dsl.train.model import checkpoint_blocks, compile_blocks, set_dropout
from tests.recipes import Cosine, Mixup

from .making import job, launch, recipe, weights


class Counting(nn.Module):
    """A package's module with a running mean and a count of its own."""

    mean: torch.Tensor
    passes: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(16))
        self.register_buffer("passes", torch.zeros((), dtype=torch.long))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            with torch.no_grad():
                self.mean += 0.3 * (x.mean(0) - self.mean)
                self.passes += 1
        return x - self.mean.clone()


def block(kind: str) -> nn.Module:
    norm = {
        "norm": lambda: nn.BatchNorm1d(16),
        "cumulative": lambda: nn.BatchNorm1d(16, momentum=None),
        "plain": lambda: nn.BatchNorm1d(16, affine=False),
        "package": Counting,
    }[kind]()
    return nn.Sequential(nn.Linear(16, 16), norm, nn.GELU(), nn.Dropout(0.1))


class Net(nn.Module):
    def __init__(self, kind: str) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Flatten(), nn.Linear(64, 16))
        self.stack = nn.Sequential(block(kind), block(kind))
        self.head = nn.Linear(16, 10)
        self.register_buffer("constant", torch.full((7,), 0.1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(self.stack(self.stem(x)))
        return logits


def net(kind: str = "norm") -> nn.Module:
    torch.manual_seed(0)
    return Net(kind)


@pytest.mark.parametrize("kind", ["norm", "cumulative", "plain", "package"])
def test_checkpointed_blocks_count_a_batch_once(kind: str, tmp_path: Path) -> None:
    results = {}
    for on in (False, True):
        out = tmp_path / str(on)
        chosen = recipe(gradient_checkpointing=on, micro_batch=50)
        summary = train(net(kind), job(chosen), out, quiet=True)
        results[on] = weights(out), summary.accuracy, summary.loss
    for name, tensor in results[False][0].items():
        assert torch.equal(tensor, results[True][0][name]), name
    assert results[False][1:] == results[True][1:]


def test_a_compiled_and_checkpointed_block_counts_once() -> None:
    x = torch.randn(8, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    models = [net(), net()]
    compile_blocks(models[1])
    for model in models:
        set_dropout(model, 0.0)  # compiled code draws other numbers
        checkpoint_blocks(model)
        for _ in range(3):
            torch.manual_seed(2)
            torch.autograd.backward(model.train()(x).sum())
    plain, compiled = (model.state_dict() for model in models)
    for name in plain:
        if "running" in name or "tracked" in name:
            torch.testing.assert_close(plain[name], compiled[name])
    assert plain["stack.0.1.num_batches_tracked"] == 3


def test_a_module_shared_by_two_blocks_keeps_its_buffers() -> None:
    model = net()
    model.stack[1] = model.stack[0]
    checkpoint_blocks(model)
    buffers = {id(buffer) for buffer in model.buffers()}
    torch.autograd.backward(model.train()(torch.randn(8, 1, 8, 8)).sum())
    assert {id(buffer) for buffer in model.buffers()} == buffers
    assert model.stack[0][1].num_batches_tracked == 2


@pytest.mark.parametrize("ranks", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_ranks_report_what_the_saved_weights_give(ranks: int, tmp_path: Path) -> None:
    out = tmp_path / "run"
    together = launch(ranks, out, "norm")
    summary = Run.open(out).summary()
    assert summary is not None
    alone = evaluate(net(), out, device="cpu")
    assert alone.correct == together.correct
    for loss in (alone.loss, together.loss):
        assert loss == pytest.approx(summary.loss, rel=1e-9)
    assert alone.accuracy == summary.accuracy
    # Constants are no statistics, and stay what they were.
    assert torch.equal(weights(out)["constant"], torch.full((7,), 0.1))


def one_value() -> nn.Module:
    """A batch norm over vectors, and one over maps, which has values enough."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(64, 10), nn.BatchNorm1d(10)
    )


@pytest.mark.parametrize(
    "settings",
    [{"batch": 1}, {"batch": 5, "micro_batch": 2}, {"batch": 128, "micro_batch": 1}],
    ids=str,
)
def test_a_part_of_one_image_is_refused_before_anything_is_made(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    out = tmp_path / "runs/run"
    chosen = job(recipe(epochs=None, steps=2, schedule=Cosine(), **settings))
    model = one_value()
    before = {name: t.clone() for name, t in model.state_dict().items()}
    for call in (lambda: train(model, chosen, out), lambda: plan(model, chosen)):
        with pytest.raises(UsageError, match=r"batch norm needs two values .* but 3 "):
            call()
    assert not list(tmp_path.iterdir())
    assert all(torch.equal(before[n], t) for n, t in model.state_dict().items())
    assert model.training


@pytest.mark.parametrize("settings", [{"batch": 6, "micro_batch": 2}, {"batch": 2}])
def test_parts_of_two_images_are_trained_on(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    chosen = recipe(epochs=None, steps=2, schedule=Cosine(), **settings)
    train(one_value(), job(chosen), tmp_path / "run", quiet=True)


def test_maps_of_one_image_are_trained_on(tmp_path: Path) -> None:
    model = nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(64, 10))
    chosen = recipe(batch=1, epochs=None, steps=2, schedule=Cosine())
    train(model, job(chosen), tmp_path / "run", quiet=True)


@pytest.mark.parametrize(
    "size, settings, reason",
    [
        (2, {"batch": 3, "augment": (Mixup(),)}, "2 images in each part to mix"),
        (4, {"batch": 3}, "too few for 4 processes"),
        (3, {"batch": 5}, "batch norm needs two values"),
    ],
)
def test_a_rank_without_images_enough_is_refused(
    size: int,
    settings: dict[str, Any],
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WORLD_SIZE", str(size))
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("LOCAL_RANK", "0")
    with pytest.raises(UsageError, match=reason):
        plan(one_value(), job(recipe(**settings)))
