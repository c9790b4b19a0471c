"""Many processes train as one does, over gloo on the CPU."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from s2mlp_dsl.data.sampler import BatchSplit, Sampler
from s2mlp_dsl.train import UsageError
from s2mlp_dsl.train.distributed import rank_of_environment
from s2mlp_dsl.train.job import Evaluation

from .making import SCRIPT, launch, metrics, weights


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Evaluation]:
    out = tmp_path_factory.mktemp("alone") / "run"
    return out, launch(1, out)


@pytest.mark.parametrize("ranks", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_several_ranks_train_and_test_as_one_does(
    ranks: int, alone: tuple[Path, Evaluation], tmp_path: Path
) -> None:
    one, expected = alone
    out = tmp_path / "run"
    result = launch(ranks, out, str(one))
    same = Evaluation.model_validate_json(out.with_suffix(".other.json").read_text())
    # The same weights are tested alike; only sums of the loss may be rounded.
    assert same.model_copy(update={"loss": expected.loss}) == expected
    assert same.loss == pytest.approx(expected.loss, rel=1e-12)
    assert result.images == expected.images == 360
    assert result.correct == expected.correct
    assert result.confusion == expected.confusion
    assert result.loss == pytest.approx(expected.loss, rel=1e-4)
    ours, theirs = weights(out), weights(one)
    assert ours.keys() == theirs.keys()
    torch.testing.assert_close(ours, theirs, rtol=2e-3, atol=2e-4)
    for line, other in zip(metrics(out), metrics(one), strict=True):
        assert line["loss"] == pytest.approx(other["loss"], rel=1e-4)


def test_ranks_exchange_the_gradients_of_the_masters(tmp_path: Path) -> None:
    found = [launch(ranks, tmp_path / str(ranks), "bf16_weights") for ranks in (1, 2)]
    assert found[0].loss == pytest.approx(found[1].loss, rel=1e-3)
    for line, other in zip(*(metrics(tmp_path / n) for n in "12"), strict=True):
        assert line["loss"] == pytest.approx(other["loss"], rel=1e-3)
    ours, theirs = (weights(tmp_path / n) for n in "12")
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        # Gradients are rounded to steps of 2^-8, each rank's parts for themselves.
        assert (tensor - theirs[name]).norm() <= 2**-6 * tensor.norm(), name


@pytest.mark.slow
def test_a_killed_rank_is_restarted_and_ends_the_same(tmp_path: Path) -> None:
    undisturbed, killed = tmp_path / "whole", tmp_path / "killed"
    expected = launch(2, undisturbed)
    result = launch(2, killed, "die", restarts=1)
    assert killed.with_suffix(".died").exists()
    assert result == expected
    assert metrics(killed) == metrics(undisturbed)
    ours, theirs = weights(killed), weights(undisturbed)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.slow
def test_sigterm_to_the_launcher_saves_on_all_ranks(tmp_path: Path) -> None:
    import time

    out = tmp_path / "run"
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node=2", str(SCRIPT), str(out)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (out / "metrics.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    process.wait(120)
    if (out / "summary.json").exists():
        pytest.skip("the run was over before the signal came")
    assert (out / "checkpoints/latest").exists()
    assert launch(2, out).images == 360


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("micro", [None, 1, 5, 64])
def test_shares_are_a_partition_of_every_batch(size: int, micro: int | None) -> None:
    order = Sampler(images=200, batch=64, steps=4, seed=3, repeats=2)
    whole = [request.indices for request in order.batches(0)]
    shares = [BatchSplit(rank, size, micro) for rank in range(size)]
    for step in range(4):
        parts = []
        for share in shares:
            count = len(share.micro_batches(64))
            requests = list(order.batches(step, share))[:count]
            assert all(len(r.indices) <= (micro or 64) for r in requests)
            parts += [request.indices for request in requests]
        assert torch.equal(torch.cat(parts), whole[step])


def test_what_torchrun_says_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert rank_of_environment() == (0, 1, 0)
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "2")
    with pytest.raises(UsageError, match="RANK 2 is not below"):
        rank_of_environment()
