"""bf16 copies of float32 masters: who sees which, and what comes back."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.bench.bench import bench
from s2mlp_dsl.bench.figures import Setting
from s2mlp_dsl.data.batch import Batch
from s2mlp_dsl.train import evaluate, predict, train
from s2mlp_dsl.train.device import choose_accelerator, low_precision_copies
from s2mlp_dsl.train.plan import plan
from s2mlp_dsl.train.step import TrainStep
from tests.recipes import AdamW, Cosine, LearningRate

from .making import assert_same_run, job, metrics, recipe, weights

BF16 = torch.bfloat16
PLACE = choose_accelerator("cpu", "bf16_weights")
SPEC = Path(__file__).parents[2] / "specs/digits.arch"
SMALL = elaborate(SPEC, None, {"width": "16", "depth": "3"})
# Norms that keep statistics and norms that do not, a fixed kernel, a position.
MIXED = """edition 1
shift sideways {
    edge keep
    1/2 right
    1/2 left
}
model mixed {
    image(1, 8, 8)
    patch(2, 8)
    position
    norm(batch)
    depthwise(3, fixed = [[0, 1, 0], [1, 2, 1], [0, 1, 0]])
    stack 2 {
        residual {
            norm(rms)
            linear(8)
            shift(sideways)
            norm(group, groups = 2)
        }
    }
    pool(mean)
    linear(10)
}
"""


def batch(images: int = 16) -> Batch:
    generator = torch.Generator().manual_seed(3)
    return Batch(
        torch.randn(images, 1, 8, 8, generator=generator),
        torch.randint(10, (images,), generator=generator),
        torch.arange(images),
    )


def built(seed: int = 0, **kinds: bool) -> nn.Module:
    torch.manual_seed(seed)
    return SMALL.build(**kinds).train()


def passed(model: nn.Module, given: Batch) -> Tensor:
    """The loss, once its gradient is in the model."""
    with PLACE.weights(model):
        logits = PLACE.forward(model, given.images_BCHW)
        loss = F.cross_entropy(logits.float(), given.labels_B)
        loss.backward()
    return loss.detach()


def test_blocks_see_bf16_and_the_optimizer_sees_fp32() -> None:
    model, seen = built(), set()

    def note(module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        held = {tensor.dtype for tensor in module.parameters()}
        seen.update(held | {tensor.dtype for tensor in (*inputs, output)})

    for block in model.stack:
        block.register_forward_hook(note)
    masters = {name: id(p) for name, p in model.named_parameters()}
    passed(model, batch())
    assert seen == {BF16}
    assert {name: id(p) for name, p in model.named_parameters()} == masters
    for p in model.parameters():
        assert isinstance(p, nn.Parameter) and p.dtype == torch.float32
        assert p.grad is not None and p.grad.dtype == torch.float32


def test_gradients_are_those_of_a_model_in_bf16() -> None:
    model, given = built(), batch()
    low = copy.deepcopy(model).to(BF16)
    loss = passed(model, given)
    logits = low(given.images_BCHW.to(BF16)).float()
    expected = F.cross_entropy(logits, given.labels_B)
    expected.backward()
    assert torch.equal(loss, expected)
    theirs = dict(low.named_parameters())
    for name, p in model.named_parameters():
        assert torch.equal(p.grad, theirs[name].grad.float()), name


def test_masters_come_back_whatever_happens() -> None:
    model = built()
    before = {name: id(p) for name, p in model.named_parameters()}
    with pytest.raises(ZeroDivisionError), low_precision_copies(model, BF16):
        assert {p.dtype for p in model.parameters()} == {BF16}
        raise ZeroDivisionError
    assert {name: id(p) for name, p in model.named_parameters()} == before


def test_a_shared_weight_has_one_copy_and_a_fixed_one_no_gradient() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    model[0].bias.requires_grad_(False)
    with low_precision_copies(model, BF16):
        assert model[0].weight is model[1].weight and not model[0].bias.requires_grad
        model(torch.ones(2, 4, dtype=BF16)).float().sum().backward()
    assert model[0].weight.grad is not None and model[0].bias.grad is None


def test_statistics_of_batches_stay_fp32_and_kernels_do_not() -> None:
    torch.manual_seed(0)
    model = elaborate(MIXED).build().train()
    norm = next(m for m in model.modules() if isinstance(m, nn.BatchNorm1d))
    kernels = [n for n, t in model.named_buffers() if t.ndim > 2]
    before = norm.running_mean.clone()
    with PLACE.weights(model):
        assert kernels and all(model.get_buffer(n).dtype == BF16 for n in kernels)
        assert norm.weight.dtype == norm.running_mean.dtype == torch.float32
        loss = F.cross_entropy(PLACE.forward(model, batch().images_BCHW).float(), LABEL)
        loss.backward()
    assert all(model.get_buffer(n).dtype == torch.float32 for n in kernels)
    assert norm.running_mean.dtype == torch.float32
    assert not torch.equal(norm.running_mean, before)
    assert all(p.grad.isfinite().all() and p.grad.any() for p in model.parameters())


LABEL = torch.arange(16) % 10


@pytest.mark.parametrize("kind", ["drop_path", "dropout"])
def test_what_is_dropped_stays_in_bf16(kind: str) -> None:
    model = built(**{kind: True})
    for module in model.modules():
        if type(module).__name__ in ("DropPath", "Dropout"):
            module.p = 0.5
    with PLACE.weights(model):
        assert PLACE.forward(model, batch().images_BCHW).dtype == BF16


def test_parts_of_a_batch_add_up_to_it() -> None:
    gradients = []
    for micro in (None, 5):
        chosen = recipe(precision="bf16_weights", batch=16, micro_batch=micro)
        model, given = built(), batch()
        step = TrainStep(model, chosen, 10, LearningRate.of(chosen, 22, 11), PLACE)
        size = micro or 16
        cuts = [slice(at, at + size) for at in range(0, 16, size)]
        parts = [
            Batch(given.images_BCHW[c], given.labels_B[c], given.indices[c])
            for c in cuts
        ]
        step(iter(parts), 0, None)
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
    whole, added = gradients
    # Steps of bf16 are 2^-8 of a number; the sum itself is in float32.
    assert 0 < (whole - added).norm() < 2**-6 * whole.norm()


def run(out: Path, **changes: Any) -> Path:
    """Four steps of training on digits."""
    short = {"epochs": None, "steps": 4, "schedule": Cosine()}
    chosen = recipe(**short | {"precision": "bf16_weights"} | changes)
    train(built(), job(chosen), out, device="cpu", quiet=True)
    return out


def test_training_learns_as_autocast_does(tmp_path: Path) -> None:
    long = {"steps": 44, "optimizer": AdamW(lr=1e-2)}
    low = run(tmp_path / "low", **long)
    ours = metrics(low)
    theirs = metrics(run(tmp_path / "mixed", precision="bf16", **long))
    assert ours[-1]["test_loss"] < ours[0]["loss"] - 0.5
    assert ours[-1]["test_loss"] == pytest.approx(theirs[-1]["test_loss"], rel=0.02)
    assert ours[-1]["test_loss"] != theirs[-1]["test_loss"]
    assert {tensor.dtype for tensor in weights(low).values()} == {torch.float32}


def test_recomputed_blocks_have_the_same_copies(tmp_path: Path) -> None:
    plain = run(tmp_path / "plain")
    assert_same_run(plain, run(tmp_path / "again", gradient_checkpointing=True))


def test_a_run_is_tested_later_as_it_was_in_training(tmp_path: Path) -> None:
    out = run(tmp_path / "run", ema=0.5)
    found = evaluate(built(1), out, device="cpu")
    assert found.loss == metrics(out)[-1]["test_loss"]
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(out / "a.png")
    model = built(1)
    seen: list[torch.dtype] = []
    model.head.register_forward_hook(lambda *given: seen.append(given[-1].dtype))
    (guess,) = predict(model, out, [out / "a.png"], device="cpu")
    assert seen == [BF16] and len(guess.top) == 5


def test_a_plan_counts_the_copies() -> None:
    def weights_of(precision: str) -> tuple[int, int]:
        found = plan(built(), job(recipe(precision=precision)), device="cpu")
        return found.weights, found.parameters

    (low, count), (full, _) = weights_of("bf16_weights"), weights_of("fp32")
    assert low - full == 2 * count


@pytest.mark.parametrize("training", [False, True])
def test_bench_computes_in_it(training: bool) -> None:
    setting = Setting(
        batch=2,
        train=training,
        device="cpu",
        threads=1,
        precision="bf16_weights",
        seconds=0,
    )
    found = bench(SMALL, setting, compiled=False)
    assert found.machine.precision == "bf16_weights"
    assert found.rows[0].failed is None and found.rows[0].images_per_second
