"""Settings of a recipe: each changes what it says and survives a resume."""

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.data.sampler import Sampler
from s2mlp_dsl.train import Interrupted, Run, UsageError, evaluate, load_weights, train
from s2mlp_dsl.train.job import Start
from s2mlp_dsl.train.metrics import peak_flops
from s2mlp_dsl.train.model import checkpoint_blocks, set_drop_path
from s2mlp_dsl.train.optimizer import EMA
from tests import recipes as ir
from tests.recipes import LearningRate

from .making import assert_same_run, job, metrics, mlp, recipe, synthetic_job, weights
from .test_resume import SignalAt

VARIANTS: dict[str, dict[str, Any]] = {
    "sgd": {"optimizer": ir.SGD(lr=0.05)},
    "steps": {"epochs": None, "steps": 17, "schedule": ir.Linear(warmup=3)},
    "micro": {"micro_batch": 50, "repeated_augmentation": 2},
    "ema": {"ema": 0.99},
    "fp16": {"precision": "fp16", "grad_clip": 1.0},
    "bf16 weights": {"precision": "bf16_weights", "ema": 0.99, "micro_batch": 50},
    "checkpointing": {"gradient_checkpointing": True, "deterministic": True},
}


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_resumes_bit_for_bit(name: str, tmp_path: Path) -> None:
    chosen = job(recipe(**VARIANTS[name]))
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train(SignalAt(mlp(), 0), chosen, whole, quiet=True)
    with pytest.raises(Interrupted):
        train(SignalAt(mlp(), 13), chosen, cut, quiet=True)
    summary = train(SignalAt(mlp(), 0), chosen, cut, resume=True, quiet=True)
    assert summary.steps == VARIANTS[name].get("steps", 22)
    assert_same_run(whole, cut)


def test_parts_add_up_to_the_whole_batch(tmp_path: Path) -> None:
    def plain() -> nn.Module:
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))

    for micro in (None, 30):
        chosen = job(recipe(micro_batch=micro))
        train(plain(), chosen, tmp_path / str(micro), quiet=True)
    ours, theirs = weights(tmp_path / "30"), weights(tmp_path / "None")
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)


def test_a_recipe_has_one_length() -> None:
    for lengths in ({"epochs": 2, "steps": 3}, {"epochs": None}):
        with pytest.raises(ValidationError, match=r"(neither|both) is given"):
            recipe(**lengths)


def test_schedules_fall_as_they_say() -> None:
    base = {"optimizer": ir.AdamW(lr=1.0), "epochs": None, "steps": 100}
    line = LearningRate.of(recipe(**base, schedule=ir.Linear(warmup=20)), 100, 7)
    assert [line.at(s) for s in (20, 60)] == [1.0, 0.5]
    stairs = ir.Step(step_size=30, gamma=0.1, min_lr=0.005)
    steps = LearningRate.of(recipe(**base, schedule=stairs), 100, 7)
    assert [steps.at(s) for s in (0, 29, 30, 60, 99)] == pytest.approx(
        [1, 1, 0.1, 0.01, 0.005]
    )
    epochs = recipe(optimizer=ir.AdamW(lr=1.0), schedule=ir.Step(step_size=1))
    in_steps = LearningRate.of(epochs, 14, 7).schedule
    assert isinstance(in_steps, ir.Step) and in_steps.step_size == 7


def test_repeats_show_fewer_images_each_drawn_anew() -> None:
    order = Sampler(images=100, batch=20, steps=5, seed=0, repeats=2)
    requests = list(order.batches(0))
    seen = torch.cat([request.indices for request in requests])
    draws = torch.cat([request.keys for request in requests])
    assert len(seen.unique()) == 50 and len(draws.unique()) == 100
    first = requests[0].indices
    assert torch.equal(first[:10], first[10:])  # copies lie far apart
    assert torch.equal(draws // 2, seen)


def test_the_average_is_what_is_tested(tmp_path: Path) -> None:
    out = tmp_path / "run"
    model = mlp()
    summary = train(model, job(recipe(ema=0.999)), out, quiet=True)
    averaged = mlp()
    assert evaluate(averaged, out).accuracy == summary.accuracy
    newest = max((out / "checkpoints").glob("step_*"))
    assert (newest / "average.safetensors").exists()
    live = weights(out)
    assert not torch.equal(averaged[1].weight, live["1.weight"])
    assert torch.equal(averaged[1].weight, model[1].weight)


def test_the_average_starts_soon_and_then_moves_slowly() -> None:
    model = nn.Linear(1, 1, bias=False)
    average = EMA(model, 0.9999)
    with torch.no_grad():
        model.weight.fill_(5.0)
    average.update(0)
    start = float(average.averaged["weight"])
    average.update(10**7)
    assert abs(start - 5) < 1 and abs(float(average.averaged["weight"]) - start) < 1e-3


def test_the_average_is_the_one_of_the_formula() -> None:
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    average, shadow = EMA(model, 0.5), model.weight.detach().clone()
    for step in range(12):
        with torch.no_grad():
            model.weight += torch.randn(2, 3)
        average.update(step)
        decay = min(0.5, (1 + step) / (10 + step))
        shadow = decay * shadow + (1 - decay) * model.weight.detach()
    torch.testing.assert_close(average.averaged["weight"], shadow)


class DropPath(nn.Module):
    p = 0.0


def test_drop_path_rises_linearly_and_is_never_ignored() -> None:
    model = nn.Sequential(*[nn.Sequential(nn.Linear(2, 2), DropPath()) for _ in "1234"])
    set_drop_path(model, 0.3)
    rates = [m.p for m in model.modules() if isinstance(m, DropPath)]
    assert rates == pytest.approx([0.0, 0.1, 0.2, 0.3])
    with pytest.raises(UsageError, match="no residual branch"):
        set_drop_path(nn.Linear(2, 2), 0.1)
    with pytest.raises(UsageError, match="no stack of blocks"):
        checkpoint_blocks(nn.Linear(2, 2))


def test_weights_of_another_run_with_another_head(tmp_path: Path) -> None:
    train(mlp(), job(), tmp_path / "run", quiet=True)
    other = mlp(classes=7, seed=5)
    head = other[5].weight.clone()
    taken, _ = load_weights(other, tmp_path / "run", partial=True)
    assert [name for name, _ in taken.kept] == ["5.weight", "5.bias"]
    assert "10×64 there, 7×64 here" in taken.lines()[1]
    assert torch.equal(other[5].weight, head)
    assert torch.equal(other[1].weight, weights(tmp_path / "run")["1.weight"])
    with pytest.raises(UsageError, match="none of its tensors"):
        load_weights(nn.Linear(3, 3), tmp_path / "run")


def test_weights_of_another_resolution(tmp_path: Path) -> None:
    """An S²-MLP has no weight that knows the map's size: all are taken."""
    spec = Path(__file__).parents[2] / "specs/s2mlp.arch"
    sizes = {"width": 8, "depth": 2, "patch": 4, "classes": 4}
    small, large = (
        elaborate(spec, None, {**sizes, "size": size}).build() for size in (16, 24)
    )
    chosen = synthetic_job(epochs=1, schedule=ir.Cosine())
    train(small, chosen, tmp_path / "small", quiet=True)
    taken, start = load_weights(large, tmp_path / "small")
    assert len(taken.loaded) == len(large.state_dict()) and not taken.kept
    bigger = chosen.model_copy(update={"image": (3, 24, 24), "start": start})
    train(large, bigger, tmp_path / "large", quiet=True)
    started = Run.open(tmp_path / "large").job.start
    assert started is not None and started.source == str(tmp_path / "small")
    # The same file at another place is the same start; another file is not.
    (tmp_path / "large/summary.json").unlink()
    (tmp_path / "small").rename(tmp_path / "moved")
    again = elaborate(spec, None, {**sizes, "size": 24}).build()
    _, moved = load_weights(again, tmp_path / "moved")
    bigger = bigger.model_copy(update={"start": moved})
    train(again, bigger, tmp_path / "large", quiet=True, resume=True)
    other = bigger.model_copy(update={"start": Start(source="x", sha256="0")})
    with pytest.raises(UsageError, match=r"job\.start\.sha256"):
        train(again, other, tmp_path / "large", quiet=True, resume=True)


def test_peaks_are_told_by_the_most_special_name() -> None:
    assert peak_flops("NVIDIA H100 80GB HBM3", "bf16") == 989.4e12
    assert peak_flops("NVIDIA H100 PCIe", "bf16") == 756e12
    assert peak_flops("NVIDIA L40S", "fp16") == 362e12
    assert peak_flops("NVIDIA L40", "bf16") == 181e12
    assert peak_flops("NVIDIA L4", "tf32") == 60e12
    assert peak_flops("Tesla T4", "fp32") == 8.1e12
    for unknown in ("some other GPU", "NVIDIA T400 4GB", "RTX 4090 Laptop GPU"):
        assert peak_flops(unknown, "bf16") is None


def test_repeated_images_train(tmp_path: Path) -> None:
    chosen = job(recipe(repeated_augmentation=3, augment=(ir.Translate(), ir.Mixup())))
    train(mlp(), chosen, tmp_path / "run", quiet=True)
    assert len(metrics(tmp_path / "run")) == 4
