"""Checkpoints: folders that are complete and undamaged; others are skipped.

A checkpoint is written to a folder beside its own, its manifest with sizes and SHA-256
last, everything synced to disk, and then renamed. Older ones are deleted only after
that. Tensors are safetensors and the rest is JSON; nothing is unpickled.
"""

import hashlib
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load as parse_tensors
from safetensors.torch import save as dump_tensors
from torch import Tensor

from s2mlp_dsl import disk
from s2mlp_dsl.errors import EnvironmentFailure
from s2mlp_dsl.files import beside
from s2mlp_dsl.ir.node import Record

FOLDER, LATEST, MANIFEST = "checkpoints", "latest", "manifest.json"
MODEL, OPTIMIZER, STATE = "model.safetensors", "optimizer.safetensors", "state.json"
AVERAGE = "average.safetensors"  # only of runs that average their weights
KEPT = 2  # the newest, and one to fall back on

Tensors = dict[str, Tensor]


class Torn(Exception):
    """A checkpoint is incomplete or damaged; the message says how."""


class Totals(Record):
    """Training figures summed over all ranks: batch losses, correct answers, steps.

    `skipped` counts how often another image replaced an unreadable one.
    """

    loss: float = 0.0
    correct: int = 0
    skipped: int = 0
    steps: int = 0

    def plus(self, other: "Totals") -> "Totals":
        return Totals(
            loss=self.loss + other.loss,
            correct=self.correct + other.correct,
            skipped=self.skipped + other.skipped,
            steps=self.steps + other.steps,
        )


class Clock(Record):
    """Seconds over all sessions; all but `total` count training steps alone.

    `waiting` is the part of `training` spent on fetching batches; `interval`
    and `epoch` are since the last log line and since the epoch's start.
    """

    total: float = 0.0
    training: float = 0.0
    waiting: float = 0.0
    interval: float = 0.0
    epoch: float = 0.0


class TrainState(Record):
    """The progress of a run: the scalars of a checkpoint.

    `epoch` counts finished, tested epochs and `position` the steps done in the next
    one, so position = steps per epoch means that only its test is left.
    `metrics_lines` is how much of metrics.jsonl belongs to this state, and
    `metrics_sha256` of these lines. `skipped`
    counts replaced images up to the last log line; `scaler` is the state of fp16's
    loss scaling.
    """

    weight_hash: str
    function_hash: str
    schedule_hash: str
    step: int = 0
    epoch: int = 0
    position: int = 0
    metrics_lines: int = 0
    metrics_sha256: str | None = None
    interval: Totals = Totals()
    epoch_totals: Totals = Totals()
    skipped: int = 0
    unreadable: int = 0
    scaler: dict[str, int | float] | None = None
    last_loss: float | None = None
    last_accuracy: float | None = None
    best_accuracy: float | None = None
    best_epoch: int | None = None
    clock: Clock = Clock()


@dataclass(frozen=True)
class Checkpoint:
    """The content of a checkpoint, verified by size and SHA-256."""

    path: Path
    model: Tensors
    optimizer: Tensors
    state: TrainState
    average: Tensors | None = None

    @property
    def tested(self) -> Tensors:
        """The weights that are tested, exported and predicted with."""
        return self.model | (self.average or {})


def name_of(step: int) -> str:
    """The name of the checkpoint after `step` steps."""
    return f"step_{step:08d}"


def save(
    run: Path,
    model: Tensors,
    optimizer: Tensors,
    state: TrainState,
    average: Tensors | None = None,
) -> Path:
    """Write a checkpoint of a run folder and return its path.

    Raises EnvironmentFailure if it cannot be written; older checkpoints are then
    untouched.
    """
    folder = run / FOLDER
    path = folder / name_of(state.step)
    disk.require_no_links(run, path)
    disk.make_folder(folder)
    aside = beside(path)
    files = {
        MODEL: dump_tensors(_plain(model)),
        OPTIMIZER: dump_tensors(_plain(optimizer)),
        STATE: state.model_dump_json(indent=2).encode(),
    }
    if average is not None:
        files[AVERAGE] = dump_tensors(_plain(average))
    try:
        disk.make_folder(aside)
        for name, data in files.items():
            disk.write(aside / name, data)
        disk.write(aside / MANIFEST, _manifest(state.step, files))
        disk.sync_folder(aside)
        if path.exists():  # a torn one of this step; a valid one is never redone
            disk.remove_folder(path)
        disk.rename(aside, path)
    except EnvironmentFailure:
        with suppress(EnvironmentFailure):
            disk.remove_folder(aside)
        raise
    point_at(path)
    # A torn one that was skipped may be ahead of this one; it must not count as one
    # of those to fall back on.
    done = [other for other in stored(run) if _step(other) <= state.step]
    for old in done[KEPT:]:
        disk.remove_folder(old)
    return path


def point_at(path: Path) -> None:
    """Make `latest` name this checkpoint, if it does not yet.

    It is for people and scripts; resuming reads the folders themselves. It may be
    stale where a process ended just after a checkpoint's rename.
    """
    pointer, text = path.with_name(LATEST), f"{path.name}\n".encode()
    if pointer.is_symlink() or not pointer.is_file() or disk.read(pointer) != text:
        disk.replace(pointer, text)


def stored(run: Path) -> list[Path]:
    """The finished checkpoints of a run folder, newest first, unread."""
    folder = run / FOLDER
    with disk.reported(folder, "read"):
        names = list(folder.iterdir()) if folder.is_dir() else []
    return sorted(
        (path for path in names if re.fullmatch(r"step_\d{8,}", path.name)),
        key=_step,
        reverse=True,
    )


def _step(path: Path) -> int:
    return int(path.name.removeprefix("step_"))


def newest(run: Path) -> tuple[Checkpoint | None, list[str]]:
    """The newest valid checkpoint, and what was skipped and why.

    None if there is no checkpoint at all. Raises EnvironmentFailure if there are some
    and none is valid: starting over would not be resuming.
    """
    skipped: list[str] = []
    for path in stored(run):
        try:
            return load(path), skipped
        except Torn as reason:
            skipped.append(f"{path.name}: {reason}")
    if skipped:
        raise EnvironmentFailure(
            f"no valid checkpoint in {run / FOLDER}: " + "; ".join(skipped)
        )
    return None, skipped


def load(path: Path) -> Checkpoint:
    """Read a checkpoint and verify every byte against its manifest.

    Raises Torn if it is not what was written.
    """
    files = _expected(path)
    content: dict[str, bytes] = {}
    for name in files:
        try:
            size = (path / name).stat().st_size
            if size != files[name]["size"]:
                raise Torn(f"{name} has {size:,} bytes, not {files[name]['size']:,}")
            content[name] = (path / name).read_bytes()
        except OSError as error:
            raise Torn(f"{name}: {error.strerror or error}") from error
        if hashlib.sha256(content[name]).hexdigest() != files[name]["sha256"]:
            raise Torn(f"{name} is not what was written: its SHA-256 differs")
    try:
        return Checkpoint(
            path=path,
            model=parse_tensors(content[MODEL]),
            optimizer=parse_tensors(content[OPTIMIZER]),
            state=TrainState.model_validate_json(content[STATE]),
            average=parse_tensors(content[AVERAGE]) if AVERAGE in content else None,
        )
    except (SafetensorError, ValidationError) as error:
        raise Torn(f"of another version: {error}") from error


def _plain(tensors: Tensors) -> Tensors:
    # Clones share no memory with each other, which safetensors insists on.
    return {k: t.detach().cpu().contiguous().clone() for k, t in tensors.items()}


def _manifest(step: int, files: dict[str, bytes]) -> bytes:
    entries = {
        name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in files.items()
    }
    return json.dumps({"format": 1, "step": step, "files": entries}, indent=2).encode()


_NAMES = {MODEL, OPTIMIZER, STATE, AVERAGE}


def _expected(path: Path) -> dict[str, dict[str, int | str]]:
    try:
        manifest = disk.read_record(path / MANIFEST)
        files = {name: dict(entry) for name, entry in manifest["files"].items()}
        if not {MODEL, OPTIMIZER, STATE} <= files.keys() <= _NAMES:
            raise LookupError(MANIFEST)
        for entry in files.values():
            if not (type(entry["size"]) is int and type(entry["sha256"]) is str):
                raise LookupError(MANIFEST)
    except EnvironmentFailure as error:
        raise Torn(str(error)) from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise Torn(f"{MANIFEST} is damaged") from error
    return files
