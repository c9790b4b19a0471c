"""Reading metrics.jsonl: a log, of which damaged lines are left out."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from s2mlp_dsl import disk

# The figures of an event, as numbers.
FIGURES = {
    "steps": ("step", "epoch", "loss", "train_accuracy", "lr"),
    "epoch": (
        *("step", "epoch", "loss", "train_accuracy", "lr"),
        *("test_loss", "test_accuracy"),
    ),
}
_NAMED = 3  # damaged lines that are named; further ones are only counted

Event = dict[str, Any]


def parse_event(line: bytes) -> Event | None:
    """The event of a line; None if the line is damaged."""
    try:
        event = from_json(line, allow_inf_nan=False)
    except ValueError:
        return None
    if not isinstance(event, dict) or not isinstance(event.get("event"), str):
        return None
    names = FIGURES.get(event["event"])
    if names is None or not all(_is_number(event.get(name)) for name in names):
        return None
    return event if isinstance(event.get("time"), dict) else None


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and abs(value) < 1e300


def read_lines(path: Path) -> list[bytes]:
    """The lines of a log, if there is one, without what ends them."""
    lines = disk.read(path).split(b"\n") if path.exists() else []
    return lines[:-1] if lines and not lines[-1] else lines


def read_events(lines: Iterable[bytes]) -> tuple[list[Event], list[int]]:
    """The events of the undamaged lines, and the numbers of the damaged ones."""
    events, damaged = [], []
    for number, line in enumerate(lines, 1):
        event = parse_event(line)
        if event is None:
            damaged.append(number)
        else:
            events.append(event)
    return events, damaged


def damage_text(path: Path, damaged: list[int]) -> str:
    """What to tell the user about damaged lines."""
    named = ", ".join(map(str, damaged[:_NAMED]))
    more = f" and {len(damaged) - _NAMED} more" if len(damaged) > _NAMED else ""
    are = "lines {} are" if len(damaged) > 1 else "line {} is"
    return f"{path}: {are.format(named + more)} damaged and left out"
