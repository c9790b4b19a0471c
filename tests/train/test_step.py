"""One step: what is decayed, clipped, smoothed, and when it must not happen."""

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from torch import nn
from torch.nn import functional as F

from s2mlp_dsl.data.batch import Batch
from s2mlp_dsl.data.sampler import BatchSplit
from s2mlp_dsl.data.seeds import derive, reseed
from s2mlp_dsl.train import EnvironmentFailure, UsageError, checkpoint, train, trainer
from s2mlp_dsl.train.device import choose_accelerator
from s2mlp_dsl.train.optimizer import load_state_tensors, split_decay, state_tensors
from s2mlp_dsl.train.step import StepResult, TrainStep
from tests.recipes import (
    SGD,
    AdamW,
    Augmentation,
    Cosine,
    CutMix,
    LearningRate,
    Mixup,
    Recipe,
)

from .making import job, metrics, mlp, recipe, weights

CPU = choose_accelerator("cpu", "auto")


def stepper(model: nn.Module, chosen: Recipe) -> TrainStep:
    chosen = chosen.model_copy(update={"batch": 16})
    return TrainStep(model, chosen, 10, LearningRate.of(chosen, 22, 11), CPU)


def take(step: TrainStep, given: Batch, number: int) -> StepResult:
    return step(iter([given]), number, None)


def batch(images: int = 16) -> Batch:
    generator = torch.Generator().manual_seed(3)
    return Batch(
        torch.randn(images, 1, 8, 8, generator=generator),
        torch.randint(10, (images,), generator=generator),
        torch.arange(100, 100 + images),
    )


def linear() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))


def test_norms_and_biases_do_not_decay() -> None:
    decayed, kept = split_decay(mlp())
    assert [name for name, _ in decayed] == ["1.weight", "5.weight"]
    assert [name for name, _ in kept] == ["1.bias", "2.weight", "2.bias", "5.bias"]


def test_a_step_is_torchs_adamw_at_the_schedules_rate() -> None:
    chosen = recipe(
        grad_clip=0.1, label_smoothing=0.2, optimizer=AdamW(lr=0.01, betas=(0.8, 0.999))
    )
    torch.manual_seed(0)
    ours, theirs = linear(), linear()
    theirs.load_state_dict(ours.state_dict())
    step, given = stepper(ours, chosen), batch()
    linear_weight, bias = theirs[1].weight, theirs[1].bias
    reference = torch.optim.AdamW(
        [
            {"params": [linear_weight], "weight_decay": 0.05},
            {"params": [bias], "weight_decay": 0.0},
        ],
        betas=(0.8, 0.999),
    )
    for number in range(12):
        done = take(step, given, number)
        logits = theirs(given.images_BCHW)
        expected = F.cross_entropy(logits, given.labels_B, label_smoothing=0.2)
        reference.zero_grad()
        expected.backward()
        nn.utils.clip_grad_norm_(theirs.parameters(), 0.1)
        for group in reference.param_groups:
            group["lr"] = step.learning_rate.at(number)
        reference.step()
        torch.testing.assert_close(done.loss, expected.detach())
        assert done.correct == (logits.argmax(1) == given.labels_B).sum()
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())


def test_sgd_is_torchs_with_nesterovs_momentum() -> None:
    chosen = recipe(
        grad_clip=None, label_smoothing=0, optimizer=SGD(lr=0.1, weight_decay=0.01)
    )
    torch.manual_seed(0)
    ours, theirs = linear(), linear()
    theirs.load_state_dict(ours.state_dict())
    step, given = stepper(ours, chosen), batch()
    reference = torch.optim.SGD(
        [
            {"params": [theirs[1].weight], "weight_decay": 0.01},
            {"params": [theirs[1].bias], "weight_decay": 0.0},
        ],
        lr=0.1,
        momentum=0.9,
        nesterov=True,
    )
    for number in range(8):
        take(step, given, number)
        reference.zero_grad()
        F.cross_entropy(theirs(given.images_BCHW), given.labels_B).backward()
        for group in reference.param_groups:
            group["lr"] = step.learning_rate.at(number)
        reference.step()
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())


def test_a_mixed_batch_is_trained_on_shares_and_counted_by_the_larger() -> None:
    chosen = recipe(grad_clip=None, label_smoothing=0.1, augment=(Mixup(alpha=0.8),))
    model = linear()
    step, given = stepper(model, chosen), batch()
    reseed(derive("step", chosen.seed, 5, 0, 0))
    images_BCHW, shares_BK = step.mix(given.images_BCHW, given.labels_B)
    with torch.no_grad():
        logits_BK = model(images_BCHW)
        expected = F.cross_entropy(logits_BK, shares_BK, label_smoothing=0.1)
    right = (logits_BK.argmax(1) == shares_BK.argmax(1)).sum()
    done = take(step, given, 5)
    assert not torch.equal(images_BCHW, given.images_BCHW)
    torch.testing.assert_close(done.loss, expected)
    assert done.correct == right


def test_the_optimizers_state_survives_the_way_through_tensors() -> None:
    one, other = linear(), linear()
    first, second = stepper(one, recipe()), stepper(other, recipe())
    for number in range(3):
        take(first, batch(), number)
    other.load_state_dict(one.state_dict())
    tensors = state_tensors(one, first.optimizer)
    assert set(tensors) == {
        f"1.{name}/{entry}"
        for name in ("weight", "bias")
        for entry in ("step", "exp_avg", "exp_avg_sq")
    }
    load_state_tensors(
        other, second.optimizer, {k: t.clone() for k, t in tensors.items()}
    )
    for number in range(3, 6):
        ours, theirs = take(first, batch(), number), take(second, batch(), number)
        assert ours.loss == theirs.loss
    assert torch.equal(one[1].weight, other[1].weight)
    with pytest.raises(
        EnvironmentFailure, match=r"of another model: 1\.bias, 1\.weight"
    ):
        load_state_tensors(nn.Linear(2, 2), second.optimizer, tensors)


def test_an_epochs_figures_are_the_means_of_its_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(mlp(), job(), tmp_path / "run", quiet=True)
    monkeypatch.setattr(trainer, "LOG_STEPS", 1)
    train(mlp(), job(), tmp_path / "each", quiet=True)
    rough = [line for line in metrics(tmp_path / "run") if line["event"] == "epoch"]
    for epoch, line in enumerate(rough, 1):
        steps = [
            each
            for each in metrics(tmp_path / "each")
            if (each["event"], each["epoch"]) == ("steps", epoch)
        ]
        assert len(steps) == 11
        for figure in ("loss", "train_accuracy"):
            mean = sum(each[figure] for each in steps) / 11
            assert line[figure] == pytest.approx(mean, rel=1e-6)
        assert line["lr"] == steps[-1]["lr"]


class BadAt(nn.Module):
    """Gives a NaN, or an infinite gradient, in one of its forward passes."""

    def __init__(self, inner: nn.Module, call: int, gradient: bool) -> None:
        super().__init__()
        self.inner, self.call, self.gradient, self.calls = inner, call, gradient, 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        logits = self.inner(x)
        if self.calls != self.call:
            return logits
        if self.gradient:  # finite forward, infinite backward
            return logits + (logits * 0).abs().sqrt()
        return logits * torch.nan


@pytest.mark.parametrize("gradient", [False, True])
def test_nan_stops_before_the_weights_change(gradient: bool, tmp_path: Path) -> None:
    # 11 steps and 3 test batches, then the third step of the second epoch.
    model, out = BadAt(mlp(), 17, gradient), tmp_path / "run"
    before: dict[str, torch.Tensor] = {}

    def remember(module: nn.Module, _: object) -> None:
        before.update({k: t.clone() for k, t in module.state_dict().items()})

    model.register_forward_pre_hook(remember)
    with pytest.raises(EnvironmentFailure) as error:
        train(model, job(), out, quiet=True)
    message = str(error.value)
    assert error.value.exit_code == 4
    assert "step 13" in message and "128 images" in message and "…" in message
    assert str(out / "checkpoints/step_00000011") in message
    after = model.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)
    found, skipped = checkpoint.newest(out)
    assert found is not None and found.state.step == 11 and not skipped
    assert all(torch.isfinite(tensor).all() for tensor in weights(out).values())


def test_a_test_loss_that_is_not_finite_stops_too(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure, match="loss over 360 test images is nan"):
        train(BadAt(mlp(), 12, False), job(), tmp_path / "run", quiet=True)


def test_a_model_of_another_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\(128, 11\).*expected \(128, 10\)"):
        train(mlp(classes=11), job(), tmp_path / "run", quiet=True)
    with pytest.raises(UsageError, match="no parameters"):
        train(nn.Flatten(), job(), tmp_path / "other", quiet=True)


def test_bf16_is_computed_where_it_is_asked_for(tmp_path: Path) -> None:
    short = {"epochs": 1, "schedule": Cosine()}
    train(mlp(), job(recipe(**short)), tmp_path / "fp32", device="cpu", quiet=True)
    low = job(recipe(precision="bf16", **short))
    summary = train(mlp(), low, tmp_path / "bf16", device="cpu", quiet=True)
    assert summary.precision == "bf16"
    ours, theirs = metrics(tmp_path / "bf16")[-1], metrics(tmp_path / "fp32")[-1]
    assert ours["loss"] != theirs["loss"]
    assert ours["loss"] == pytest.approx(theirs["loss"], rel=0.02)
    assert all(
        tensor.dtype == torch.float32 for tensor in weights(tmp_path / "bf16").values()
    )


def test_devices_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'gpu' is not a device"):
        choose_accelerator("gpu", "auto")
    if not torch.cuda.is_available():
        with pytest.raises(EnvironmentFailure, match="cuda cannot be used here"):
            choose_accelerator("cuda", "auto")


@pytest.mark.parametrize(
    "change",
    [{"lr": float("inf")}, {"weight_decay": float("nan")}, {"beta1": 1.0}],
)
def test_numbers_nobody_can_train_with_are_no_recipe(change: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        AdamW(**change)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_run_is_stopped_and_resumed(tmp_path: Path) -> None:
    summary = train(mlp(), job(), tmp_path / "run", device="cuda", quiet=True)
    assert summary.precision == "bf16" and summary.peak_memory_bytes
    before = weights(tmp_path / "run")
    (tmp_path / "run/summary.json").unlink()
    newest = checkpoint.stored(tmp_path / "run")[0]
    (newest / "manifest.json").unlink()
    train(mlp(), job(), tmp_path / "run", resume=True, device="cuda", quiet=True)
    torch.testing.assert_close(before, weights(tmp_path / "run"))


class Seen(nn.Module):
    """Keeps what it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.images = linear(), list[torch.Tensor]()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.images.append(x)
        logits: torch.Tensor = self.inner(x)
        return logits


@pytest.mark.parametrize(
    "entries", [(Mixup(),), (CutMix(),), (Mixup(), CutMix())], ids=str
)
def test_micro_batches_of_any_size_are_mixed_alike(
    entries: tuple[Augmentation, ...],
) -> None:
    """Images are mixed before the batch is split."""
    given = batch()
    expected: dict[int, list[torch.Tensor]] = {}
    for micro_batch in (None, 1, 2, 3, 5, 8, 15, 16, 40):
        torch.manual_seed(0)
        model = Seen()
        chosen = recipe(augment=entries, micro_batch=micro_batch)
        step = stepper(model, chosen)
        sizes = [
            s.stop - s.start for s in BatchSplit(0, 1, micro_batch).micro_batches(16)
        ]
        fields = (given.images_BCHW, given.labels_B, given.indices)
        split = zip(*(torch.split(field, sizes) for field in fields), strict=True)
        parts = [Batch(*part) for part in split]
        for number in range(4):
            done = step(iter(parts), number, None)
            whole = torch.cat(model.images[-len(parts) :])
            result = [whole, done.loss, model.inner[1].weight.detach().clone()]
            if micro_batch is None:
                expected[number] = result
            assert torch.equal(whole, expected[number][0])
            torch.testing.assert_close(result, expected[number])
            assert not torch.equal(whole, given.images_BCHW)


def test_a_whole_run_is_mixed_alike_by_one_image_at_a_time(tmp_path: Path) -> None:
    losses = []
    for micro_batch in (None, 1, 7):
        chosen = recipe(
            epochs=None,
            steps=12,
            batch=16,
            schedule=Cosine(),
            augment=(Mixup(),),
            micro_batch=micro_batch,
        )
        out = tmp_path / str(micro_batch)
        torch.manual_seed(0)
        train(linear(), job(chosen), out, quiet=True)
        losses.append([line["loss"] for line in metrics(out)])
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    assert losses[2] == pytest.approx(losses[0], rel=1e-4)
