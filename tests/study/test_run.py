"""Runs side by side, split, stopped, killed and failing come to the same table."""

import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.study.errors import Stopped
from s2mlp_dsl.study.records import PLAN, RESULTS, Result, results_of
from s2mlp_dsl.study.run import Shard, do, left
from s2mlp_dsl.study.store import read_plan, read_results
from s2mlp_dsl.study.work import Task
from s2mlp_dsl.train import evaluate

from .small import SPEC, compared, go_on, planned, study_of


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small study, one run after the other and never stopped."""
    out = tmp_path_factory.mktemp("whole") / "out"
    go_on(out)
    return out


def test_results_say_what_the_runs_came_to(whole: Path) -> None:
    plan, results = read_plan(whole), read_results(whole)
    table = results_of(plan, results)
    assert {key: len(ours) for key, ours in table.items()} == {
        "width-4": 2,
        "width-8": 2,
    }
    for result in results:
        outcome, timing = result.outcome, result.timing
        assert outcome is not None and timing is not None and result.failure is None
        assert (outcome.test.images, outcome.train.images) == (360, 1437)
        assert (outcome.epochs, outcome.steps) == (1, 11)
        assert outcome.test.top1 <= outcome.test.top5 < 1
        assert timing.seconds > 0 and timing.images_per_second > 0
    one, other = (result for result in results if result.row == "width-4")
    assert one.outcome != other.outcome  # seeds matter


def test_a_result_is_what_the_runs_weights_do(whole: Path) -> None:
    """Held against a test of our own: logits of all images, counted by hand."""
    (result,) = (one for one in read_results(whole) if one.name == "width-8-1")
    run = whole / "runs/width-8-1"
    model = elaborate((run / "model.arch").read_text()).build()
    found = evaluate(model, run)
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    parts = train_test_split(
        digits.images,
        digits.target,
        test_size=360,
        random_state=0,
        stratify=digits.target,
    )
    train, test, train_labels, test_labels = map(torch.as_tensor, parts)
    mean, std = train.mean() / 16, train.double().std(unbiased=False) / 16
    assert result.outcome is not None
    for images, labels, ours in (
        (train, train_labels, result.outcome.train),
        (test, test_labels, result.outcome.test),
    ):
        with torch.no_grad():
            x = ((images / 16 - mean) / std).float()[:, None]
            ranked = model(x).argsort(1, descending=True)
        assert (ranked[:, 0] == labels).double().mean().item() == ours.top1
        among = (ranked[:, :5] == labels[:, None]).any(1)
        assert among.double().mean().item() == ours.top5
    assert found.accuracy == result.outcome.test.top1


def test_shards_side_by_side_merge_to_the_whole(whole: Path, tmp_path: Path) -> None:
    for number in (1, 2):
        go_on(tmp_path / str(number), jobs=2, shard=Shard(number, 2))
    ours, other = tmp_path / "1", tmp_path / "2"
    assert [len(read_results(out)) for out in (ours, other)] == [2, 2]
    shutil.copytree(other / RESULTS, ours / RESULTS, dirs_exist_ok=True)
    _, tasks = planned(ours)
    assert left(tasks, read_results(ours)) == []
    assert compared(ours) == compared(whole)


def test_stopped_it_continues(whole: Path, tmp_path: Path) -> None:
    _, tasks = planned(tmp_path)
    seen: list[str] = []
    handler = signal.getsignal(signal.SIGTERM)

    def stop(task: Task, result: Result | None) -> None:
        seen.append(task.result.name)
        os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Stopped) as stopped:
        do(tasks, 2, stop)
    assert stopped.value.exit_code == 143
    assert signal.getsignal(signal.SIGTERM) is handler
    assert len(read_results(tmp_path)) == len(seen) < 4
    go_on(tmp_path, most=2)
    assert compared(tmp_path, 2) == compared(whole, 2)


def test_a_killed_run_fails_alone_and_is_done_again(
    whole: Path, tmp_path: Path
) -> None:
    _, tasks = planned(tmp_path)
    failures: dict[str, Result] = {}

    def ended(task: Task, result: Result | None) -> None:
        if result is not None and result.failure is not None:
            failures[task.result.name] = result

    def kill_one() -> None:
        while not (children := multiprocessing.active_children()):
            time.sleep(0.01)
        os.kill(children[0].pid or 0, signal.SIGKILL)

    killer = threading.Thread(target=kill_one)
    killer.start()
    do(tasks[:2], 1, ended)
    killer.join()
    (failed,) = failures.values()
    assert failed.name == "width-4-0" and failed.failure is not None
    assert "SIGKILL" in failed.failure.message and failed.failure.exit_code == 4
    assert len(read_results(tmp_path)) == 2
    go_on(tmp_path, most=2)
    assert compared(tmp_path, 2) == compared(whole, 2)


def test_a_failing_row_leaves_the_others(tmp_path: Path) -> None:
    study = study_of(SPEC.replace("width = [4, 8]", "size = [10, 8]"))
    study = study.model_copy(update={"seeds": (3,)})
    plan, tasks = planned(tmp_path, study)
    do(tasks, 1, lambda task, result: None)
    table = results_of(plan, read_results(tmp_path))
    (failed,), (done,) = table["size-10"], table["size-8"]
    assert failed.outcome is None and failed.failure is not None
    assert failed.failure.exit_code == 2
    assert "digits has 10 classes of 1×8×8 images" in failed.failure.message
    assert done.outcome is not None
    assert left(tasks, read_results(tmp_path)) == tasks[:1]  # is tried again


def kill(out: Path, kills: int) -> None:
    """Kill the command, alone or with all its processes, at random moments."""
    chance = random.Random()
    spec = out.parent / "small.arch"
    spec.write_text(SPEC)
    words = [sys.executable, "-m", "s2mlp_dsl", "study", str(spec), "--out", str(out)]
    for _ in range(kills):
        began = time.time()
        with subprocess.Popen(
            [*words, "--jobs", "2", "-q"],
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            # The plan is written when the first process begins to load PyTorch.
            plan = out / PLAN
            while process.poll() is None:
                if plan.exists() and plan.stat().st_mtime > began:
                    break
                time.sleep(0.02)
            time.sleep(chance.random() * 8)
            # Runs that are left behind must not disturb those that go on.
            with suppress(ProcessLookupError):
                chance.choice([os.kill, os.killpg])(process.pid, signal.SIGKILL)


def test_killed_at_a_random_moment_it_comes_to_the_same(
    whole: Path, tmp_path: Path
) -> None:
    kill(tmp_path / "out", 1)
    go_on(tmp_path / "out")
    assert compared(tmp_path / "out") == compared(whole)


@pytest.mark.slow
def test_killed_ten_times_it_comes_to_the_same(whole: Path, tmp_path: Path) -> None:
    for number in range(5):
        out = tmp_path / str(number) / "out"
        out.parent.mkdir()
        kill(out, 2)
        go_on(out)
        assert compared(out) == compared(whole)
