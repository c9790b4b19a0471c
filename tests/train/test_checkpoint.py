"""Checkpoints are whole or passed over, and the disk may refuse at any time."""

import errno
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from s2mlp_dsl import disk
from s2mlp_dsl.files import beside
from s2mlp_dsl.train import (
    EnvironmentFailure,
    Run,
    UsageError,
    checkpoint,
    evaluate,
    load_weights,
    train,
)
from s2mlp_dsl.train.checkpoint import TrainState
from tests import recipes as ir

from .making import assert_same_run, job, metrics, mlp, recipe, snapshot

LONG = job(recipe(epochs=4))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "run"
    train(mlp(), LONG, out, quiet=True)
    return out


def unfinished(whole: Path, out: Path) -> Path:
    """The whole run's folder as a kill just before its end would leave it."""
    out.mkdir()
    for name in ("run.json", "model.arch", "metrics.jsonl"):
        (out / name).write_bytes((whole / name).read_bytes())
    for path in sorted((whole / "checkpoints").rglob("*")):
        target = out / path.relative_to(whole)
        if path.is_dir():
            target.mkdir(parents=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return out


def test_the_folder_holds_what_is_promised_and_no_pickle(whole: Path) -> None:
    files = {str(p.relative_to(whole)) for p in whole.rglob("*") if p.is_file()}
    parts = (
        "manifest.json",
        "model.safetensors",
        "optimizer.safetensors",
        "state.json",
    )
    assert files == {
        "run.json",
        "model.arch",
        "metrics.jsonl",
        "summary.json",
        "checkpoints/latest",
        *(f"checkpoints/step_00000033/{part}" for part in parts),
        *(f"checkpoints/step_00000044/{part}" for part in parts),
    }
    for name in files:
        start = (whole / name).read_bytes()[:4]
        assert not start.startswith((b"\x80", b"PK\x03\x04")), name


def test_no_pickle_is_ever_loaded(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something was unpickled")

    with monkeypatch.context() as patched:
        for module, name in (
            *((pickle, name) for name in ("load", "loads", "Unpickler")),
            (torch, "load"),
        ):
            patched.setattr(module, name, refuse)
        out = unfinished(whole, tmp_path / "run")
        train(mlp(), LONG, out, resume=True, quiet=True)
        load_weights(mlp(), out)
        evaluate(mlp(), out)
    assert_same_run(whole, out)


def test_a_pickled_file_is_no_source_of_weights(tmp_path: Path) -> None:
    file = tmp_path / "weights.pt"
    torch.save(mlp().state_dict(), file)
    with pytest.raises(EnvironmentFailure, match=r"weights\.pt is not a safetensors"):
        load_weights(mlp(), file)


def test_the_run_can_be_read_back(whole: Path) -> None:
    run = Run.open(whole)
    assert run.job == LONG
    assert run.path == whole
    assert run.versions["torch"] == torch.__version__
    summary = run.summary()
    assert summary is not None and summary.epochs == 4
    last = metrics(whole)[-1]
    assert (last["event"], last["epoch"], last["step"]) == ("epoch", 4, 44)
    assert last["test_accuracy"] == summary.accuracy
    assert "model_text" not in json.loads((whole / "run.json").read_text())["job"]


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        ("model.safetensors", truncate, "bytes, not"),
        ("model.safetensors", flip, "SHA-256 differs"),
        ("optimizer.safetensors", flip, "SHA-256 differs"),
        ("optimizer.safetensors", Path.unlink, "No such file"),
        ("state.json", truncate, "bytes, not"),
        ("manifest.json", truncate, "is damaged"),
        ("manifest.json", Path.unlink, "No such file"),
    ],
)
def test_a_torn_checkpoint_is_passed_over_and_named(
    name: str,
    damage: Callable[[Path], None],
    said: str,
    whole: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = unfinished(whole, tmp_path / "run")
    damage(out / "checkpoints/step_00000044" / name)
    train(mlp(), LONG, out, resume=True)
    told = capsys.readouterr().out
    assert "skipped step_00000044" in told and name in told and said in told
    assert "resuming from" in told and "step_00000033" in told
    assert_same_run(whole, out)


def test_with_no_valid_checkpoint_nothing_is_started_over(
    whole: Path, tmp_path: Path
) -> None:
    out = unfinished(whole, tmp_path / "run")
    for path in (out / "checkpoints").glob("step_*/model.safetensors"):
        truncate(path)
    before = snapshot(out)
    with pytest.raises(EnvironmentFailure, match=r"step_00000044: .*; step_00000033: "):
        train(mlp(), LONG, out, resume=True, quiet=True)
    assert snapshot(out) == before


def test_a_half_written_checkpoint_is_no_checkpoint(
    whole: Path, tmp_path: Path
) -> None:
    out = unfinished(whole, tmp_path / "run")
    newest = out / "checkpoints/step_00000044"
    newest.rename(newest.with_name(newest.name + ".tmp"))
    train(mlp(), LONG, out, resume=True, quiet=True)
    assert_same_run(whole, out)
    assert not list((out / "checkpoints").glob("*.tmp"))


def test_torn_checkpoints_ahead_do_not_push_out_the_good(tmp_path: Path) -> None:
    state = TrainState(weight_hash="w", function_hash="f", schedule_hash="s")
    tensors = {"a": torch.ones(3)}
    for step in (30, 40):
        (tmp_path / f"checkpoints/step_{step:08d}").mkdir(parents=True)
    for step in (10, 11, 12):
        at = state.model_copy(update={"step": step})
        checkpoint.save(tmp_path, tensors, tensors, at)
    found, skipped = checkpoint.newest(tmp_path)
    assert found is not None and found.state.step == 12
    assert len(skipped) == 2
    names = [path.name for path in checkpoint.stored(tmp_path)]
    assert names[2:] == ["step_00000012", "step_00000011"]


def test_a_checkpoint_of_another_schedule_is_refused(
    whole: Path, tmp_path: Path
) -> None:
    out = unfinished(whole, tmp_path / "run")
    state = checkpoint.load(out / "checkpoints/step_00000044")
    changed = state.state.model_copy(update={"schedule_hash": "other"})
    checkpoint.save(out, state.model, state.optimizer, changed)
    with pytest.raises(UsageError, match="schedule_hash: other"):
        train(mlp(), LONG, out, resume=True, quiet=True)


@pytest.mark.parametrize("stale", ["step_00000033\n", None])
def test_latest_is_right_again_after_a_resume(
    stale: str | None, whole: Path, tmp_path: Path
) -> None:
    """A process may end between a checkpoint's rename and this line."""
    out = unfinished(whole, tmp_path / "run")
    latest = out / "checkpoints/latest"
    if stale is None:
        latest.unlink()
    else:
        latest.write_text(stale)
    train(mlp(), LONG, out, resume=True, quiet=True)
    assert latest.read_text() == "step_00000044\n"
    assert_same_run(whole, out)


def full(owner: str, name: str, times: int) -> Callable[..., None]:
    """A function of `disk`; the disk is full at the `times`-th file of that name."""
    original, seen = getattr(disk, owner), 0

    def write(path: Path, data: bytes) -> None:
        nonlocal seen
        seen += path.name == name
        if path.name == name and seen == times:
            half = path if owner == "write" else beside(path)
            half.write_bytes(data[: len(data) // 2])
            with disk.reported(path, "write"):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        original(path, data)

    return write


@pytest.mark.parametrize(
    "owner, name",
    [
        ("write", "model.safetensors"),
        ("write", "manifest.json"),
        ("replace", "latest"),
    ],
)
def test_a_full_disk_leaves_the_last_good_checkpoint(
    owner: str,
    name: str,
    whole: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "run"
    with monkeypatch.context() as patched:
        patched.setattr(disk, owner, full(owner, name, 2))
        with pytest.raises(
            EnvironmentFailure, match=rf"{name}: No space left"
        ) as error:
            train(mlp(), LONG, out, quiet=True)
    assert error.value.exit_code == 4
    found, skipped = checkpoint.newest(out)
    assert found is not None and not skipped
    train(mlp(), LONG, out, resume=True, quiet=True)
    assert not list(out.rglob("*.tmp"))
    assert_same_run(whole, out)


def test_used_and_foreign_folders_are_refused(whole: Path, tmp_path: Path) -> None:
    before = snapshot(whole)
    with pytest.raises(UsageError, match="--resume") as error:
        train(mlp(), LONG, whole, quiet=True)
    assert error.value.exit_code == 2
    assert snapshot(whole) == before
    (tmp_path / "thesis.txt").write_text("mine")
    for resume in (False, True):
        with pytest.raises(UsageError, match="not a run folder"):
            train(mlp(), LONG, tmp_path, resume=resume, quiet=True)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file/run", Path("/proc/run")):
        with pytest.raises(EnvironmentFailure, match=str(out)):
            train(mlp(), LONG, out, quiet=True)


def test_what_is_no_run_folder_is_said(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure, match="does not exist"):
        Run.open(tmp_path / "nowhere")
    with pytest.raises(EnvironmentFailure, match=r"has no run\.json"):
        Run.open(tmp_path)
    out = unfinished(whole, tmp_path / "run")
    truncate(out / "run.json")
    with pytest.raises(EnvironmentFailure, match="damaged"):
        Run.open(out)
    (out / "run.json").write_text('{"format": 3, "job": {}}')
    with pytest.raises(EnvironmentFailure, match="of another version"):
        Run.open(out)


def test_lost_lines_of_metrics_are_said(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = unfinished(whole, tmp_path / "run")
    (out / "metrics.jsonl").write_text("")
    train(mlp(), LONG, out, resume=True)
    assert "has lost lines" in capsys.readouterr().out


def test_a_run_without_a_checkpoint_starts_over_on_resume(
    whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    out.mkdir()
    (out / "run.json").write_bytes((whole / "run.json").read_bytes())
    (out / "model.arch").write_bytes((whole / "model.arch").read_bytes())
    (out / "metrics.jsonl").write_text('{"event": "steps"}\n')
    train(mlp(), LONG, out, resume=True, quiet=True)
    assert_same_run(whole, out)


def test_time_alone_makes_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from s2mlp_dsl.train import trainer

    monkeypatch.setattr(trainer, "SAVE_SECONDS", -1)
    saved = []
    original = checkpoint.save

    def save(*arguments: object) -> Path:
        path = original(*arguments)  # type: ignore[arg-type]
        saved.append(path.name)
        return path

    monkeypatch.setattr(checkpoint, "save", save)
    short = job(recipe(epochs=1, schedule=ir.Cosine()))
    train(mlp(), short, tmp_path / "run", quiet=True)
    assert saved == [f"step_{step:08d}" for step in range(1, 12)]
