"""What a report is about: models, and runs that trained them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s2mlp_dsl.analysis.analyze import Analysis
from s2mlp_dsl.elaborate.spec import Spec
from s2mlp_dsl.ir.program import Model


class UnreadableRun(Exception):
    """A folder that holds no run, or one whose files are damaged."""

    exit_code = 4


@dataclass(frozen=True)
class Subject:
    """A model of a spec with its figures, claims decided.

    `certificate` is what `verify --format json` prints, if there is one.
    """

    spec: Spec
    model: Model
    analysis: Analysis
    certificate: dict[str, Any] | None = None


@dataclass(frozen=True)
class Epoch:
    """One line of a run's curves; accuracies are fractions."""

    number: int
    loss: float
    test_loss: float
    train_accuracy: float
    test_accuracy: float


@dataclass(frozen=True)
class RunCurves:
    """A training run as far as a page shows it."""

    name: str
    model: str
    recipe: str
    epochs: tuple[Epoch, ...]
    summary: dict[str, Any]


def read_run(folder: Path) -> RunCurves:
    """The curves of a run folder. Raises `UnreadableRun`."""
    try:
        job = json.loads((folder / "run.json").read_text(encoding="utf-8"))["job"]
        lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        events = [json.loads(line) for line in lines if line.strip()]
        summary = folder / "summary.json"
        end = (
            json.loads(summary.read_text(encoding="utf-8")) if summary.exists() else {}
        )
        return RunCurves(
            name=folder.name,
            model=str(job["model_name"]),
            recipe=str(job["recipe_name"]),
            epochs=tuple(_epoch(one) for one in events if one["event"] == "epoch"),
            summary=dict(end),
        )
    except OSError as error:
        raise UnreadableRun(f"{folder} holds no run: {error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableRun(f"the run in {folder} is damaged: {error!r}") from error


def _epoch(event: dict[str, Any]) -> Epoch:
    return Epoch(
        int(event["epoch"]),
        *(
            float(event[key])
            for key in ("loss", "test_loss", "train_accuracy", "test_accuracy")
        ),
    )
