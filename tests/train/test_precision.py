"""Precision, fp16's scaler, PyTorch's switches, and how far a GPU is used."""

from pathlib import Path

import pytest
import torch
from torch import nn

from s2mlp_dsl.train import EnvironmentFailure, checkpoint, train
from s2mlp_dsl.train.device import Accelerator, choose_accelerator
from s2mlp_dsl.train.metrics import utilisation
from tests.recipes import Cosine

from .making import job, metrics, mlp, recipe, weights
from .test_step import BadAt

CPU = torch.device("cpu")
HALF = job(recipe(precision="fp16"))


def newest(run: Path) -> checkpoint.Checkpoint:
    found, skipped = checkpoint.newest(run)
    assert found is not None and not skipped
    return found


def scaling(kept: checkpoint.Checkpoint) -> tuple[float, float]:
    """The loss scale, and the good steps since it changed."""
    assert kept.state.scaler is not None
    return kept.state.scaler["scale"], kept.state.scaler["_growth_tracker"]


def test_fp16_is_computed_in_fp16_and_kept_in_fp32(tmp_path: Path) -> None:
    seen: set[torch.dtype] = set()

    def note(module: nn.Module, inputs: object, output: torch.Tensor) -> None:
        seen.add(output.dtype)

    model = mlp()
    model[1].register_forward_hook(note)
    train(model, HALF, tmp_path / "run", quiet=True)
    assert seen == {torch.float16}
    kept = newest(tmp_path / "run")
    assert {t.dtype for t in weights(tmp_path / "run").values()} == {torch.float32}
    assert scaling(kept) == (65536.0, 22)


def test_an_overflow_in_fp16_leaves_a_step_out_and_halves_the_scale(
    tmp_path: Path,
) -> None:
    # 11 steps, 3 test batches, then the third step of the second epoch.
    train(BadAt(mlp(), 17, gradient=True), HALF, tmp_path / "run", quiet=True)
    kept = newest(tmp_path / "run")
    assert kept.state.step == 22
    assert scaling(kept) == (32768.0, 8)
    assert kept.optimizer["inner.1.weight/step"] == 21
    assert all(torch.isfinite(tensor).all() for tensor in kept.model.values())


def test_a_gradient_that_never_becomes_finite_is_no_overflow(tmp_path: Path) -> None:
    class Always(BadAt):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.call = self.calls + 1
            return super().forward(x)

    model = Always(mlp(), 0, gradient=True)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    long = job(recipe(precision="fp16", epochs=3))
    with pytest.raises(
        EnvironmentFailure, match=r"step 17: .*before the weights changed"
    ):
        train(model, long, tmp_path / "run", quiet=True)
    after = model.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


def test_a_loss_that_is_not_finite_stops_fp16_too(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure, match="step 2: loss nan"):
        train(BadAt(mlp(), 3, gradient=False), HALF, tmp_path / "run", quiet=True)


def test_tf32_is_asked_of_pytorch_and_refused_without_it() -> None:
    with Accelerator(CPU, "tf32").numerics(deterministic=False):
        assert torch.get_float32_matmul_precision() == "high"
        assert torch.backends.cudnn.allow_tf32
    with Accelerator(CPU, "fp32").numerics(deterministic=False):
        assert torch.get_float32_matmul_precision() == "highest"
        assert not torch.backends.cudnn.allow_tf32
    with pytest.raises(EnvironmentFailure, match=r"no tf32.*precision = fp32"):
        choose_accelerator("cpu", "tf32")


def test_deterministic_asks_for_it_and_gives_the_switches_back(tmp_path: Path) -> None:
    states = []

    def note(*_: object) -> None:
        cudnn = torch.backends.cudnn
        strict = torch.are_deterministic_algorithms_enabled()
        states.append((strict, cudnn.deterministic, cudnn.benchmark))

    before = torch.get_float32_matmul_precision()
    for deterministic in (True, False):
        model = mlp()
        model.register_forward_pre_hook(note)
        short = {"epochs": 1, "schedule": Cosine()}
        chosen = job(recipe(deterministic=deterministic, **short))
        train(model, chosen, tmp_path / str(deterministic), quiet=True)
        assert not torch.are_deterministic_algorithms_enabled()
        assert torch.get_float32_matmul_precision() == before
    assert states[0] == (True, True, False) and not states[-1][0]
    assert metrics(tmp_path / "True") == metrics(tmp_path / "False")


def test_mfu_counts_three_passes_of_two_flops_a_mac(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gpu = Accelerator(torch.device("cuda"), "bf16")
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "NVIDIA H100 PCIe")
    used = utilisation(1_000, 10_000_000_000, gpu, devices=2)
    assert used == pytest.approx(1_000 * 6e10 / (2 * 756e12))
    assert utilisation(1_000, None, gpu, 1) is None
    assert utilisation(1_000, 10, Accelerator(CPU, "fp32"), 1) is None
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "some other GPU")
    assert utilisation(1_000, 10, gpu, 1) is None
