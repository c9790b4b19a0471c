"""A run folder: what is fixed when a run begins, and where things are."""

import importlib.metadata
import json
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field, ValidationError

from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.train import disk
from s2mlp_dsl.train.device import Resolved
from s2mlp_dsl.train.errors import EnvironmentFailure, UsageError
from s2mlp_dsl.train.images import Preprocess
from s2mlp_dsl.train.job import Job, Summary
from s2mlp_dsl.train.schedule import Schedule

RUN, MODEL_TEXT, SUMMARY = "run.json", "model.arch", "summary.json"
# What may differ when a run is resumed: no result depends on it, but for
# rounding, which is then said.
FREE = (
    "job.model_name",
    "job.spec",
    "job.model_text",
    "job.recipe_name",
    "job.recipe.workers",
    "job.recipe.micro_batch",
    "job.start.source",
    "job.macs",
    "data_root",
    "device",
    "devices",
    "precision",
    "versions.",
)


class Run(Record):
    """The content of run.json. `path` is where it was read; `root` the data's folder.

    `job.model_text` is kept beside it, in model.arch.
    """

    path: Path = Field(exclude=True)
    format: Literal[1] = 1
    job: Job
    preprocess: Preprocess
    class_names: tuple[str, ...]
    data_fingerprint: str
    data_root: str | None
    train_images: int
    test_images: int
    schedule: Schedule
    parameters: int
    device: str
    devices: int = 1
    precision: Resolved
    versions: dict[str, str]

    @classmethod
    def open(cls, path: Path) -> "Run":
        """Read a run folder. Raises EnvironmentFailure if it is none, or is damaged."""
        if not (path / RUN).is_file():
            what = "holds no run.json" if path.is_dir() else "does not exist"
            if path.exists() and not path.is_dir():
                what = "is a file"
            raise EnvironmentFailure(f"{path} is not a run folder: it {what}")
        text = disk.read(path / MODEL_TEXT).decode("utf-8", errors="replace")
        try:
            content = json.loads(disk.read(path / RUN))
            content["job"]["model_text"] = text
            return cls.model_validate({**content, "path": path})
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise EnvironmentFailure(
                f"{path / RUN} is damaged or of another version: {place}: "
                f"{first['msg']}"
            ) from error
        except (ValueError, LookupError, TypeError) as error:
            raise EnvironmentFailure(f"{path / RUN} is damaged: {error}") from error

    def create(self) -> None:
        """Make the folder. run.json comes last: with it, a run can be resumed."""
        disk.make_folder(self.path)
        disk.replace(self.path / MODEL_TEXT, self.job.model_text.encode())
        content = self.model_dump(mode="json", exclude={"job": {"model_text"}})
        disk.replace(self.path / RUN, json.dumps(content, indent=2).encode() + b"\n")

    def summary(self) -> Summary | None:
        """How the run ended, or None if it has not."""
        if not (self.path / SUMMARY).is_file():
            return None
        try:
            return Summary.model_validate_json(disk.read(self.path / SUMMARY))
        except ValidationError as error:
            raise EnvironmentFailure(f"{self.path / SUMMARY} is damaged") from error

    def finish(self, summary: Summary) -> None:
        """Write how it ended; from now on the run is finished."""
        text = summary.model_dump_json(indent=2) + "\n"
        disk.replace(self.path / SUMMARY, text.encode())


def folder_in_use(path: Path, resume: bool) -> bool:
    """Whether a run in this folder is to be continued.

    Raises UsageError if the folder is used and may not be, EnvironmentFailure if it is
    no folder at all.
    """
    with disk.reported(path, "read"):
        exists = path.exists()
    if not exists:
        return False
    if not path.is_dir():
        raise EnvironmentFailure(f"cannot write a run to {path}: it is a file")
    if (path / RUN).exists():
        if not resume:
            raise UsageError(
                f"{path} already holds a run; continue it with --resume "
                "or choose another folder"
            )
        return True
    with disk.reported(path, "read"):
        names = {entry.name for entry in path.iterdir()}
    # These two are all that a run killed at its very start leaves behind.
    strangers = {n for n in names if not n.endswith(".tmp")} - {MODEL_TEXT}
    if strangers or (names and not resume):
        raise UsageError(
            f"{path} is not empty and not a run folder; choose another folder"
        )
    return False


def refuse_another(path: Path, old: dict[str, Any], new: dict[str, Any]) -> None:
    """Raise UsageError naming what differs, if a run would go on as another.

    `old` and `new` are dumps of the run or of a part of it, as in run.json.
    """
    before, after = dict(_leaves(old)), dict(_leaves(new))
    changed = [
        f"{name}: {before.get(name, 'absent')} → {after.get(name, 'absent')}"
        for name in sorted(before.keys() | after.keys())
        if not name.startswith(FREE)
        and before.get(name, "absent") != after.get(name, "absent")
    ]
    if changed:
        raise UsageError(
            f"{path} holds another run; it differs in " + "; ".join(changed)
        )


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from _leaves(inner, f"{name}.{key}" if name else key)
        case list() | tuple():
            for place, inner in enumerate(value):
                yield from _leaves(inner, f"{name}[{place}]")
        case _:
            yield name, value


def versions() -> dict[str, str]:
    """What the run was computed with."""
    names = ["s2mlp-dsl", "torchvision", "numpy", "scikit-learn", "safetensors"]
    found = {"python": platform.python_version(), "torch": torch.__version__}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
