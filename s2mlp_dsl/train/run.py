"""A run folder: what is fixed when a run starts, and its files."""

import hashlib
import importlib.metadata
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field, ValidationError
from torch import nn

from s2mlp_dsl import disk
from s2mlp_dsl.data.batch import Data
from s2mlp_dsl.data.images import Preprocess
from s2mlp_dsl.data.sampler import Sampler
from s2mlp_dsl.errors import EnvironmentFailure, UsageError
from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.recipe.learning_rate import LearningRate
from s2mlp_dsl.train.device import Accelerator, ResolvedPrecision
from s2mlp_dsl.train.job import Job, Summary
from s2mlp_dsl.train.optimizer import split_decay
from s2mlp_dsl.train.step import require_parts

FORMAT: Literal[2] = 2
RUN, MODEL_TEXT, SUMMARY = "run.json", "model.arch", "summary.json"
# What may differ when a run is resumed: results depend on it by rounding at most, and
# that is reported.
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
    format: Literal[2] = FORMAT
    job: Job
    preprocess: Preprocess
    class_names: tuple[str, ...]
    data_fingerprint: str
    data_root: str | None
    train_images: int
    test_images: int
    learning_rate: LearningRate
    parameters: int
    device: str
    devices: int = 1
    precision: ResolvedPrecision
    versions: dict[str, str]

    @classmethod
    def open(cls, path: Path) -> "Run":
        """Read a run folder and verify run.json and model.arch by their SHA-256.

        Raises EnvironmentFailure if it is not one, or is damaged.
        """
        if not (path / RUN).is_file():
            what = "has no run.json" if path.is_dir() else "does not exist"
            if path.exists() and not path.is_dir():
                what = "is a file"
            raise EnvironmentFailure(f"{path} is not a run folder: it {what}")
        record = disk.read_record(path / RUN)
        if record.get("format") != FORMAT:
            raise EnvironmentFailure(
                f"{path / RUN} is damaged or of another version: its format is "
                f"{record.get('format')!r:.20}, not {FORMAT}"
            )
        content = disk.unsealed(record, path / RUN)
        model = disk.read(path / MODEL_TEXT)
        if content.pop("model_sha256", None) != hashlib.sha256(model).hexdigest():
            raise EnvironmentFailure(
                f"{path / MODEL_TEXT} is not what was trained: its SHA-256 differs"
            )
        try:
            content["job"]["model_text"] = model.decode()
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
        """Write its files. run.json is written last: with it, a run can be resumed."""
        model = self.job.model_text.encode()
        disk.replace(self.path / MODEL_TEXT, model)
        content = self.model_dump(mode="json", exclude={"job": {"model_text"}})
        content["model_sha256"] = hashlib.sha256(model).hexdigest()
        disk.replace(self.path / RUN, disk.sealed(content))

    def summary(self) -> Summary | None:
        """The summary of a finished run, else None."""
        path = self.path / SUMMARY
        if not path.is_file():
            return None
        try:
            return Summary.model_validate(disk.unsealed(disk.read_record(path), path))
        except ValidationError as error:
            raise EnvironmentFailure(f"{path} is damaged") from error

    def finish(self, summary: Summary) -> None:
        """Write the summary, which marks the run as finished."""
        disk.replace(self.path / SUMMARY, disk.sealed(summary.model_dump(mode="json")))


def describe(
    model: nn.Module,
    job: Job,
    out: Path,
    data: Data,
    sampler: Sampler,
    accelerator: Accelerator,
    world_size: int,
) -> Run:
    """The run as run.json will have it. Raises UsageError if it cannot be trained."""
    decayed, kept = split_decay(model)
    require_parts(model, job, world_size)
    return Run(
        path=out,
        job=job,
        preprocess=data.preprocess,
        class_names=data.class_names,
        data_fingerprint=data.fingerprint,
        data_root=str(data.root) if data.root is not None else None,
        train_images=data.train_images,
        test_images=data.test.images,
        learning_rate=LearningRate.of(
            job.recipe, sampler.steps, sampler.steps_per_epoch
        ),
        parameters=sum(p.numel() for _, p in decayed + kept),
        device=str(accelerator.device),
        devices=world_size,
        precision=accelerator.precision,
        versions=versions(),
    )


def require_same(path: Path, old: dict[str, Any], new: dict[str, Any]) -> None:
    """Raise UsageError, naming the differences, unless both describe the same run.

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
            f"{path} contains another run; it differs in " + "; ".join(changed)
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


def rounding_changes(old: Run, new: Run) -> list[str]:
    """What changed between sessions and may change the last digits of results."""
    before, after = (
        {
            **dict(sorted(run.versions.items())),
            "device": run.device,
            "processes": run.devices,
            "precision": run.precision,
            "micro_batch": run.job.recipe.micro_batch,
        }
        for run in (old, new)
    )
    return [
        f"{name} {before.get(name)} → {after.get(name)}"
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    ]


def versions() -> dict[str, str]:
    """The versions that a run is computed with."""
    names = ["s2mlp-dsl", "torchvision", "numpy", "scikit-learn", "safetensors"]
    found = {"python": platform.python_version(), "torch": torch.__version__}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
