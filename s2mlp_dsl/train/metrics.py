"""metrics.jsonl: one JSON object per log event and per epoch.

Whatever a clock measured is under `time`; all the rest is reproducible.
"""

import json
import os
from pathlib import Path
from typing import Any

from s2mlp_dsl.train import disk

NAME = "metrics.jsonl"


class Metrics:
    """Appends to the metrics of a run, from a known line on."""

    def __init__(self, run: Path, lines: int) -> None:
        """Keep the first `lines` lines; later ones came after the checkpoint."""
        self.path = run / NAME
        kept = self._first(lines)
        self.lines = len(kept)
        disk.replace(self.path, b"".join(kept))
        with disk.reported(self.path, "write"):
            self.file = self.path.open("ab")

    def _first(self, lines: int) -> list[bytes]:
        if not self.path.exists():
            return []
        return disk.read(self.path).splitlines(keepends=True)[:lines]

    def steps(self) -> int:
        """The step of the last line, 0 without any."""
        last = disk.read(self.path).splitlines()[-1:]
        return int(json.loads(last[0])["step"]) if last else 0

    def write(self, event: dict[str, Any]) -> None:
        """Add a line; whoever follows the file sees it at once."""
        line = json.dumps(event, allow_nan=False).encode() + b"\n"
        with disk.reported(self.path, "write"):
            self.file.write(line)
            self.file.flush()
        self.lines += 1

    def sync(self) -> None:
        """Wait until the disk has all lines: a checkpoint counts on them."""
        with disk.reported(self.path, "write"):
            os.fsync(self.file.fileno())

    def close(self) -> None:
        with disk.reported(self.path, "write"):
            self.file.close()
