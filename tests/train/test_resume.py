"""A run that was stopped ends as if it had not been."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from s2mlp_dsl.train import Interrupted, UsageError, train
from tests import recipes as ir

from .making import assert_same_run, job, mlp, recipe, snapshot, synthetic_job


class SignalAt(nn.Module):
    """Sends this process a signal in one of its forward passes."""

    def __init__(
        self, inner: nn.Module, call: int, number: int = signal.SIGTERM
    ) -> None:
        super().__init__()
        self.inner, self.call, self.number, self.calls = inner, call, number, 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        if self.calls == self.call:
            os.kill(os.getpid(), self.number)
        return self.inner(x)


def plain(call: int, number: int = signal.SIGTERM) -> nn.Module:
    return SignalAt(mlp(), call, number)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An uninterrupted run of 2 × 11 steps; each epoch's test has 3 batches."""
    out = tmp_path_factory.mktemp("whole") / "run"
    train(plain(0), job(), out, quiet=True)
    return out


# Forward passes 1–11 train, 12–14 test, 15–25 train, 26–28 test.
@pytest.mark.parametrize("call", [1, 7, 10, 11, 12, 14, 15, 24, 25, 26, 28])
def test_stopped_anywhere_it_ends_the_same(
    call: int, whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    with pytest.raises(Interrupted) as stopped:
        train(plain(call), job(), out, quiet=True)
    assert stopped.value.exit_code == 143
    assert stopped.value.checkpoint.is_dir()
    assert not (out / "summary.json").exists()
    summary = train(plain(0), job(), out, resume=True, quiet=True)
    assert summary.steps == 22
    assert_same_run(whole, out)


def test_stopped_again_and_again_it_ends_the_same(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    stops = 0
    for _ in range(40):
        try:
            train(plain(4), job(), out, resume=True, quiet=True)
            break
        except Interrupted:
            stops += 1
    assert stops > 5
    assert_same_run(whole, out)


def test_mixing_and_all_augmentations_resume_bit_for_bit(tmp_path: Path) -> None:
    everything = (
        ir.RandomResizedCrop(),
        ir.HorizontalFlip(),
        ir.Translate(),
        ir.RandAugment(),
        ir.ColorJitter(),
        ir.RandomErasing(),
        ir.Mixup(),
        ir.CutMix(),
    )
    chosen = synthetic_job(augment=everything, epochs=3)
    models = [SignalAt(mlp((3, 16, 16), 4), call) for call in (0, 6, 0)]
    train(models[0], chosen, tmp_path / "whole", quiet=True)
    with pytest.raises(Interrupted):
        train(models[1], chosen, tmp_path / "cut", quiet=True)
    train(models[2], chosen, tmp_path / "cut", resume=True, quiet=True)
    assert_same_run(tmp_path / "whole", tmp_path / "cut")


def test_ctrl_c_saves_and_has_its_own_exit_code(tmp_path: Path) -> None:
    with pytest.raises(Interrupted, match=r"SIGINT.*--resume") as stopped:
        train(plain(3, signal.SIGINT), job(), tmp_path / "run", quiet=True)
    assert stopped.value.exit_code == 130
    assert stopped.value.checkpoint.name == "step_00000003"


def test_a_second_ctrl_c_leaves_at_once(tmp_path: Path) -> None:
    class Impatient(SignalAt):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.calls == 2:
                os.kill(os.getpid(), signal.SIGINT)
            return super().forward(x)

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(Impatient(mlp(), 3, signal.SIGINT), job(), tmp_path / "run", quiet=True)
    assert signal.getsignal(signal.SIGINT) is handler


SLOW_RUN = """
import sys, time, torch
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from making import job, mlp
from s2mlp_dsl.train import RunError, train

class Slow(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.calls = mlp(), 0

    def forward(self, x):
        self.calls += 1
        if self.calls == 5:
            print("now", flush=True)
            time.sleep(1)
        return self.inner(x)

torch.set_num_threads(int(sys.argv[3]))
try:
    train(Slow(), job(), Path(sys.argv[1]), quiet=True)
except RunError as error:
    sys.exit(error.exit_code)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_process_is_resumed_bit_for_bit(
    number: signal.Signals, whole: Path, tmp_path: Path
) -> None:
    out, here = tmp_path / "run", str(Path(__file__).parent)
    threads = str(torch.get_num_threads())
    command = [sys.executable, "-c", SLOW_RUN, str(out), here, threads]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"now\n"
        process.send_signal(number)
        code = process.wait(60)
    if number == signal.SIGTERM:
        assert code == 143
        assert (out / "checkpoints/latest").read_text() == "step_00000005\n"
    else:
        assert code == -signal.SIGKILL
    train(plain(0), job(), out, resume=True, quiet=True)
    assert_same_run(whole, out)


def test_resuming_a_finished_run_rewrites_nothing(whole: Path) -> None:
    before = snapshot(whole)
    model = plain(0)
    summary = train(model, job(), whole, resume=True, quiet=True)
    assert summary.finished and summary.epochs == 2
    assert snapshot(whole) == before
    other_seed = SignalAt(mlp(seed=9), 0)
    train(other_seed, job(), whole, resume=True, quiet=True)
    assert torch.equal(model.inner[1].weight, other_seed.inner[1].weight)


def test_resume_starts_what_is_not_there(whole: Path, tmp_path: Path) -> None:
    train(plain(0), job(), tmp_path / "missing", resume=True, quiet=True)
    assert_same_run(whole, tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    train(plain(0), job(), tmp_path / "empty", quiet=True)
    assert_same_run(whole, tmp_path / "empty")


@pytest.mark.parametrize("finished", [True, False])
def test_another_run_is_refused_with_what_differs(
    finished: bool, whole: Path, tmp_path: Path
) -> None:
    out = whole
    if not finished:
        out = tmp_path / "run"
        with pytest.raises(Interrupted):
            train(plain(3), job(), out, quiet=True)
    before = snapshot(out)
    others = {
        "job.weight_hash: weights → other": job(weight_hash="other"),
        "job.function_hash: function → other": job(function_hash="other"),
        "job.recipe.epochs: 2 → 3": job(recipe(epochs=3)),
        r"job.recipe.optimizer.lr: 0.002 → 0.1": job(
            recipe(optimizer=ir.AdamW(lr=0.1))
        ),
        "job.recipe.augment": job(recipe(augment=(ir.HorizontalFlip(),))),
        "job.recipe.seed: 0 → 1": job(recipe(seed=1)),
    }
    for message, other in others.items():
        with pytest.raises(UsageError, match=message):
            train(plain(0), other, out, resume=True, quiet=True)
    assert snapshot(out) == before


def test_the_number_of_workers_and_names_may_change(
    whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    with pytest.raises(Interrupted):
        train(plain(3), job(), out, quiet=True)
    renamed = job(recipe(workers=0), spec="elsewhere.arch", recipe_name="same")
    train(plain(0), renamed, out, resume=True, quiet=True)
    assert_same_run(whole, out)


def test_the_callers_random_numbers_are_left_alone(tmp_path: Path) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    train(
        plain(0),
        job(recipe(epochs=1, schedule=ir.Cosine())),
        tmp_path / "run",
        quiet=True,
    )
    assert torch.equal(before, torch.get_rng_state())
