"""A run folder is one process's, holds what was written, and leads nowhere else."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from s2mlp_dsl import disk
from s2mlp_dsl.lock import Lock
from s2mlp_dsl.train import (
    EnvironmentFailure,
    Run,
    RunError,
    UsageError,
    checkpoint,
    evaluate,
    export,
    load_weights,
    predict,
    train,
)
from s2mlp_dsl.train import folder as folders
from tests.recipes import Synthetic

from .making import assert_same_run, metrics, mlp, snapshot, synthetic_job

JOB = synthetic_job(data=Synthetic(images=96), epochs=2)


def model() -> nn.Module:
    return mlp((3, 16, 16), 4)


def go(out: Path, resume: bool = True) -> None:
    train(model(), JOB, out, resume=resume, quiet=True)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "run"
    go(out, resume=False)
    return out


def unfinished(whole: Path, out: Path) -> Path:
    """After the first of two epochs, as a kill in the second leaves it."""
    shutil.copytree(whole, out)
    shutil.rmtree(out / "checkpoints/step_00000024")
    (out / "checkpoints/latest").write_text("step_00000012\n")
    (out / "summary.json").unlink()
    (out / "lock").write_text("")
    return out


# One process


def test_the_second_process_is_refused(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "PATIENCE", 0.3)
    out = unfinished(whole, tmp_path / "run")
    lock = Lock.acquire(out / "lock")
    assert lock is not None
    before = snapshot(out)
    for resume in (False, True):
        with pytest.raises(UsageError, match=r"already contains|another process is"):
            go(out, resume)
    assert snapshot(out) == before
    lock.release()
    go(out)
    assert_same_run(whole, out)
    assert not (out / "lock").exists()


@pytest.mark.parametrize("resume", [False, True])
def test_of_several_that_begin_at_once_one_trains(
    resume: bool, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "PATIENCE", 0.0)
    script = (
        "import sys, torch; from pathlib import Path; torch.set_num_threads(1)\n"
        "from s2mlp_dsl.train import train, RunError, logger, folder\n"
        "from tests.train.test_folder import JOB, model\n"
        "folder.PATIENCE = 0.0; logger.draw_curves = lambda run, metrics: None\n"
        "sys.stdin.readline()\n"
        "try: train(model(), JOB, Path(sys.argv[1]), resume=bool(sys.argv[2]),"
        " quiet=True)\n"
        "except RunError as error: sys.exit(error.exit_code)\n"
    )
    out = tmp_path / "run"
    words = [sys.executable, "-c", script, str(out), "yes" if resume else ""]
    started = [subprocess.Popen(words, stdin=subprocess.PIPE) for _ in range(3)]
    time.sleep(4)
    for process in started:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    codes = sorted(process.wait(120) for process in started)
    assert codes[0] == 0 and set(codes) <= {0, 2}, codes
    assert resume or codes == [0, 2, 2]
    assert_same_run(whole, out)


def test_a_killed_process_leaves_no_lock(whole: Path, tmp_path: Path) -> None:
    out = unfinished(whole, tmp_path / "run")
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from pathlib import Path; from s2mlp_dsl.lock import "
            "Lock; assert Lock.acquire(Path(sys.argv[1])); print(1, flush=True); "
            "time.sleep(60)",
            str(out / "lock"),
        ],
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None and holder.stdout.readline() == b"1\n"
    assert Lock.acquire(out / "lock") is None
    holder.kill()
    holder.wait()
    go(out)
    assert_same_run(whole, out)


@pytest.mark.unix
def test_a_child_process_keeps_no_lock_of_its_parent(tmp_path: Path) -> None:
    lock = Lock.acquire(tmp_path / "lock")
    assert lock is not None
    child = os.fork()
    if not child:
        time.sleep(60)
        os._exit(0)
    lock.release()
    again = Lock.acquire(tmp_path / "lock")
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert again is not None


@pytest.fixture(params=["system", "processes"])
def locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With the system's locks, and as where Python has none."""
    if request.param == "processes":
        monkeypatch.setitem(sys.modules, "fcntl", None)
        monkeypatch.setitem(sys.modules, "msvcrt", None)
    return str(request.param)


def test_a_lock_is_of_one_at_a_time(locks: str, tmp_path: Path) -> None:
    path, inside, most = tmp_path / "lock", [0], [0]

    def work() -> None:
        for _ in range(20):
            lock = Lock.acquire(path, 60)
            assert lock is not None
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.0005)
            inside[0] -= 1
            lock.release()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] and not path.exists()


@pytest.mark.parametrize("content", ["HOST 999999999", "HOST 0x", "", "nonsense"])
def test_what_a_killed_process_left_is_no_lock(
    locks: str, content: str, tmp_path: Path
) -> None:
    import socket

    path = tmp_path / "lock"
    path.write_text(content.replace("HOST", socket.gethostname()))
    os.utime(path, (1, 1))
    lock = Lock.acquire(path, 1)
    assert lock is not None
    assert Lock.acquire(path) is None
    lock.release()
    assert not path.exists()


def test_a_run_without_the_systems_locks(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", None)
    monkeypatch.setattr(folders, "PATIENCE", 0.3)
    out = unfinished(whole, tmp_path / "run")
    (out / "lock").unlink()
    lock = Lock.acquire(out / "lock")
    assert lock is not None
    with pytest.raises(UsageError, match="another process"):
        go(out)
    lock.release()
    go(out)
    assert_same_run(whole, out)


# Nothing left of a refused run


class Fails(nn.Module):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.inner, self.error = model(), error

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            raise self.error
        logits: torch.Tensor = self.inner(x)
        return logits


class Wrong(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.inner, self.factor = model(), factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.inner(x)
        return logits * self.factor if self.factor else logits[:, :3]


@pytest.mark.parametrize(
    "broken",
    [
        Fails(ValueError("Expected more than 1 value per channel")),
        Fails(torch.OutOfMemoryError("no")),
        Fails(KeyboardInterrupt()),
        Wrong(0.0),
        Wrong(float("nan")),
    ],
)
@pytest.mark.parametrize("exists", [False, True])
def test_a_run_that_fails_at_once_leaves_nothing(
    broken: nn.Module, exists: bool, tmp_path: Path
) -> None:
    out = tmp_path / "runs/new/run"
    if exists:
        out.mkdir(parents=True)
    with pytest.raises((RunError, ValueError, KeyboardInterrupt)):
        train(broken, JOB, out, quiet=True)
    assert out.exists() == exists
    assert not list(tmp_path.rglob("*.*"))
    if not exists:
        assert not list(tmp_path.iterdir())
    go(out, resume=False)


@pytest.mark.parametrize(
    "settings", [{"gradient_checkpointing": True}, {"drop_path": 0.1}], ids=str
)
def test_what_the_model_cannot_do_is_refused_before(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    flat = nn.Sequential(nn.Flatten())
    flat.weight = nn.Parameter(torch.zeros(3))
    with pytest.raises(UsageError):
        train(flat, synthetic_job(**settings), tmp_path / "run", quiet=True)
    assert not list(tmp_path.iterdir())


def test_a_failure_after_a_checkpoint_keeps_the_run(tmp_path: Path) -> None:
    out, failing = tmp_path / "run", Fails(ValueError("late"))
    train_once = failing.forward

    def forward(x: torch.Tensor) -> torch.Tensor:
        if (out / "checkpoints/step_00000012").exists():
            return train_once(x)
        logits: torch.Tensor = failing.inner(x)
        return logits

    failing.forward = forward  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="late"):
        train(failing, JOB, out, quiet=True)
    assert checkpoint.newest(out)[0] is not None and metrics(out)


def test_files_of_others_are_not_deleted(tmp_path: Path) -> None:
    out = tmp_path / "run"
    out.mkdir()
    (out / "model.arch").write_text("my spec")
    for resume in (False, True):
        with pytest.raises(UsageError, match=r"model\.arch|not a run folder"):
            go(out, resume)
    assert (out / "model.arch").read_text() == "my spec"
    assert [*out.iterdir()] == [out / "model.arch"]


# Verified


def changed(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


CHANGES = {
    "another model": ("model.arch", "edition 1", "edition  1"),
    "class names": ("run.json", '"class 0"', '"class 9"'),
    "normalisation": ("run.json", '"std": [\n      0.', '"std": [\n      1.'),
    "seed": ("run.json", '"seed": 0', '"seed": 1'),
    "function": ("run.json", '"function"', '"another"'),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_records_are_refused_by_whatever_reads_a_run(
    change: str, whole: Path, tmp_path: Path
) -> None:
    for number, start in enumerate((whole, unfinished(whole, tmp_path / "half"))):
        out = tmp_path / str(number)
        shutil.copytree(start, out)
        file, old, new = CHANGES[change]
        if old not in (out / file).read_text():
            old = new = ""
            (out / file).write_text((out / file).read_text()[:-2] + "  ,}")
        else:
            changed(out / file, old, new)
        before = snapshot(out)
        for use in (
            lambda o=out: go(o),
            lambda o=out: evaluate(model(), o),
            lambda o=out: predict(model(), o, []),
            lambda o=out: export(model(), o, tmp_path / "exported", "", "M"),
            lambda o=out: load_weights(model(), o),
        ):
            with pytest.raises(EnvironmentFailure, match=file):
                use()
        assert snapshot(out) == before
    assert not (tmp_path / "exported").exists()


@pytest.mark.parametrize("name", ["model.arch", "run.json", "summary.json"])
def test_an_emptied_or_missing_record_is_refused(
    name: str, whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    shutil.copytree(whole, out)
    (out / name).write_bytes(b"")
    with pytest.raises(EnvironmentFailure, match=name):
        go(out)
    if name != "summary.json":
        (out / name).unlink()
        with pytest.raises(RunError):
            go(out)


NESTED = b'{"a":' * 200_000 + b"1" + b"}" * 200_000


@pytest.mark.parametrize(
    "data",
    [
        NESTED,
        b"[" * 200_000,
        b'{"format": 2, "job": ' + NESTED + b"}",
        b"9" * 5_000,
        b'{"format": "\\ud800"}',
        b"\xff\xfe",
        b"null",
        b'{"files": {"model.safetensors": 3}}',
    ],
    ids=range(8),
)
def test_hostile_records_are_refused_in_words(
    data: bytes, whole: Path, tmp_path: Path
) -> None:
    names = ("run.json", "summary.json", "checkpoints/step_00000024/manifest.json")
    for name in names:
        out = tmp_path / Path(name).stem
        shutil.copytree(whole, out)
        (out / name).write_bytes(data)
        if name.endswith("manifest.json"):
            found, skipped = checkpoint.newest(out)
            assert found is not None and found.state.step == 12
            assert "manifest.json" in skipped[0]
            continue
        with pytest.raises(EnvironmentFailure, match=name) as error:
            go(out)
        assert len(str(error.value)) < 500


def test_any_flipped_byte_is_refused_or_changes_nothing(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(5)
    files = sorted(p.relative_to(whole) for p in whole.rglob("*") if p.is_file())
    refused = 0
    for number in range(72):
        name = files[number % len(files)]
        out = tmp_path / f"{number}"
        half = number % 2 and (name.parts[-2:-1] or ("",))[0] != "step_00000024"
        if half and name.name != "summary.json":
            unfinished(whole, out)
        else:
            shutil.copytree(whole, out)
        data = bytearray((out / name).read_bytes())
        place = rng.randrange(len(data))
        data[place] ^= 1 << rng.randrange(8)
        (out / name).write_bytes(data)
        capsys.readouterr()
        try:
            go(out)
        except RunError as error:
            assert str(out) in str(error)
            refused += 1
            continue
        same, expected = checkpoint.newest(out)[0], checkpoint.newest(whole)[0]
        assert same is not None and expected is not None
        assert same.state.step == expected.state.step == 24
        for key, tensor in (same.model | same.optimizer).items():
            assert torch.equal(tensor, (expected.model | expected.optimizer)[key])
        said = capsys.readouterr().err
        if half and "metrics.jsonl" not in said:  # a finished run's log is not read
            assert metrics(out) == metrics(whole)
        shutil.rmtree(out)
    assert refused > 5


def test_a_damaged_last_checkpoint_of_a_finished_run_is_trained_again(
    whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    shutil.copytree(whole, out)
    (out / "checkpoints/step_00000024/model.safetensors").write_bytes(b"torn")
    trained = model()
    train(trained, JOB, out, resume=True, quiet=True)
    assert_same_run(whole, out)
    expected = load_file(whole / "checkpoints/step_00000024/model.safetensors")
    assert all(torch.equal(expected[n], t) for n, t in trained.state_dict().items())


# Metrics are a log


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: [*lines[:-1], lines[-1][:20]],
        lambda lines: [*lines[:-1], lines[-1].rstrip(b"\n")],
        lambda lines: [b"\x00" * 30 + b"\n", *lines[1:]],
        lambda lines: [lines[0].replace(b'"loss"', b'"lots"'), *lines[1:]],
        lambda lines: [lines[0].replace(b"steps", b"stops"), *lines[1:]],
        lambda lines: [lines[0].replace(b'"step": 10', b'"step": "x"'), *lines[1:]],
        lambda lines: [b'{"event":' + NESTED + b"}\n", *lines[1:]],
        lambda lines: [b'{"event": "steps", "loss": NaN}\n', *lines[1:]],
        lambda lines: [],
    ],
    ids=range(9),
)
def test_damaged_metrics_are_said_and_the_good_lines_kept(
    damage: Any, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = unfinished(whole, tmp_path / "run")
    log = out / "metrics.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)[:2]
    log.write_bytes(b"".join(damage(lines)))
    kept = {line for line in damage(lines) if line in lines}
    go(out)
    said = capsys.readouterr().err
    complete = b"".join(damage(lines)) in (b"".join(lines), b"".join(lines).rstrip())
    assert complete or "metrics.jsonl" in said
    after = log.read_bytes().splitlines(keepends=True)
    assert kept <= set(after)
    expected = metrics(whole)
    assert [line for line in metrics(out) if line["step"] > 12] == [
        line for line in expected if line["step"] > 12
    ]
    assert all(line in expected for line in metrics(out))
    go(out)  # it is finished


def test_a_kill_after_a_damaged_line_repeats_no_line(
    whole: Path, tmp_path: Path
) -> None:
    """The checkpoint counts a line that was left out, and lines that come later."""
    out = unfinished(whole, tmp_path / "run")
    log = out / "metrics.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[1:]))  # of 10, 12 (epoch) | 22, 24 (epoch)
    go(out)
    steps = [(line["event"], line["step"]) for line in metrics(out)]
    assert steps == [("epoch", 12), ("steps", 22), ("epoch", 24)]


def test_curves_of_a_damaged_log(whole: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from s2mlp_dsl.train.curves import draw_curves

    log = tmp_path / "metrics.jsonl"
    log.write_bytes((whole / "metrics.jsonl").read_bytes()[:-30] + b"\n\xff\n{}\n[]")
    assert draw_curves(tmp_path, log) is None
    assert (tmp_path / "curves.svg").exists()


# Weights that are not numbers


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_numbers_are_named(
    value: float, whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    shutil.copytree(whole, out)
    found, _ = checkpoint.newest(out)
    assert found is not None
    found.model["5.bias"][1] = value
    shutil.rmtree(found.path)
    checkpoint.save(out, found.model, found.optimizer, found.state)
    for use in (
        lambda: evaluate(model(), out),
        lambda: predict(model(), out, []),
        lambda: export(model(), out, tmp_path / "exported", "", "M"),
    ):
        with pytest.raises(EnvironmentFailure, match=r"5\.bias has 1 of 4 values"):
            use()
    assert not (tmp_path / "exported").exists()


# Links


PLANTED = [
    *("run.json", "model.arch", "summary.json", "metrics.jsonl", "curves.svg"),
    *("lock", "checkpoints", "checkpoints/latest", "checkpoints/step_00000024"),
    *("tensorboard", "tensorboard/events"),
]


@pytest.mark.unix
@pytest.mark.parametrize("name", PLANTED)
def test_no_link_of_a_run_folder_is_written_through(
    name: str, whole: Path, tmp_path: Path
) -> None:
    out, outside = unfinished(whole, tmp_path / "run"), tmp_path / "outside"
    planted = out / name
    if planted.is_dir():
        shutil.move(planted, outside)
    elif name in ("checkpoints/step_00000024", "tensorboard"):
        outside.mkdir()
        (outside / "mine").write_text("mine")
    else:
        outside.write_bytes(planted.read_bytes() if planted.exists() else b"mine")
        planted.unlink(missing_ok=True)
    planted.parent.mkdir(exist_ok=True)
    planted.symlink_to(outside)
    before = snapshot(outside) if outside.is_dir() else outside.read_bytes()
    with pytest.raises(RunError, match=f"{name}.*(link|damaged)"):
        go(out)
    assert (snapshot(outside) if outside.is_dir() else outside.read_bytes()) == before
    assert planted.is_symlink()


@pytest.mark.unix
def test_planted_temporary_files_are_deleted_not_followed(
    whole: Path, tmp_path: Path
) -> None:
    out, outside = unfinished(whole, tmp_path / "run"), tmp_path / "outside"
    (tmp_path / "folder").mkdir()
    outside.write_text("mine")
    (tmp_path / "folder/mine").write_text("mine")
    names = [
        "run.json",
        "summary.json",
        "metrics.jsonl",
        "curves.svg",
        ".0123456789abcdef",
    ]
    for name in [*names, "checkpoints/latest"]:
        (out / f"{name}.tmp").symlink_to(outside)
    for name in ("step_00000024", ".0123456789abcdef"):
        (out / f"checkpoints/{name}.tmp").symlink_to(tmp_path / "folder")
    (out / "notes.tmp").write_text("mine")
    go(out)
    assert_same_run(whole, out)
    assert outside.read_text() == "mine"
    assert [p.name for p in (tmp_path / "folder").iterdir()] == ["mine"]
    assert [p.name for p in out.rglob("*.tmp")] == ["notes.tmp"]


@pytest.mark.unix
def test_a_foreseen_name_is_not_written_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    monkeypatch.setattr("os.urandom", bytes)
    (tmp_path / ".0000000000000000.tmp").symlink_to(outside)
    with pytest.raises(EnvironmentFailure, match="File exists"):
        disk.replace(tmp_path / "file", b"theirs")
    with pytest.raises(EnvironmentFailure, match="File exists"):
        disk.write(tmp_path / ".0000000000000000.tmp", b"theirs")
    (tmp_path / "log").symlink_to(outside)
    with pytest.raises(EnvironmentFailure, match="log"):
        disk.appending(tmp_path / "log")
    assert outside.read_text() == "mine"


@pytest.mark.unix
@pytest.mark.parametrize("name", ["metrics.jsonl", "curves.svg"])
def test_an_export_copies_nothing_from_elsewhere(
    name: str, whole: Path, tmp_path: Path
) -> None:
    out, secret = tmp_path / "run", tmp_path / "secret"
    shutil.copytree(whole, out)
    secret.write_text("key")
    (out / name).unlink(missing_ok=True)
    (out / name).symlink_to(secret)
    with pytest.raises(UsageError, match=name):
        export(model(), out, tmp_path / "exported", "", "M")


@pytest.mark.unix
def test_a_run_folder_that_is_itself_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "disk")
    go(tmp_path / "run", resume=False)
    assert (tmp_path / "disk/summary.json").exists()
    go(tmp_path / "run")


def test_the_record_says_what_was_trained(whole: Path) -> None:
    content = json.loads((whole / "run.json").read_text())
    assert len(content["sha256"]) == len(content["model_sha256"]) == 64
    assert Run.open(whole).job == JOB
