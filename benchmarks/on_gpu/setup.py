"""The measured device and sizes, timing, and rows that failed."""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import torch
from handwritten import SIZES
from rows import Row

BF16 = torch.bfloat16


@dataclass(frozen=True)
class Failed:
    """A row that could not be measured. Later rows still are."""

    name: str
    reason: str

    @property
    def record(self) -> dict[str, Any]:
        return {**asdict(self), "verdict": "failed"}


Rows = Iterator[Row | Failed]


def attempted(name: str, measure: Callable[[], Rows]) -> Rows:
    """The rows of a measurement, and a failed row at its first exception."""
    torch.compiler.reset()
    try:
        yield from measure()
    except Exception as error:  # of a compiler, a driver, an allocator
        lines = str(error).strip().splitlines() or [""]
        yield Failed(name, f"{type(error).__name__}: {lines[0]}")


@dataclass(frozen=True)
class Setup:
    """The device, and the sizes of what is measured on it."""

    device: torch.device
    tiny: bool

    @property
    def batch(self) -> int:
        return 2 if self.tiny else 256

    def width(self, name: str) -> int:
        return 32 if self.tiny else int(SIZES[name]["width"])

    def depth(self, name: str) -> int:
        return 2 if self.tiny else int(SIZES[name]["depth"])

    def images(self) -> torch.Tensor:
        return torch.randn(self.batch, 3, 224, 224, device=self.device)

    def target(self, wanted: float | None) -> float | None:
        """A target, if this is a full-size model on a GPU."""
        return None if self.tiny or self.device.type != "cuda" else wanted

    def wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def seconds(self, work: Callable[[], object]) -> float:
        """The median time of a pass, after three that compile and warm up."""
        for _ in range(1 if self.tiny else 3):
            work()
        taken, least = [], 2 if self.tiny else 5
        end = time.perf_counter() + (0.0 if self.tiny else 1.0)
        while len(taken) < least or time.perf_counter() < end:
            self.wait()
            start = time.perf_counter()
            work()
            self.wait()
            taken.append(time.perf_counter() - start)
        return statistics.median(taken)

    def peak(self) -> float:
        """FLOP/s of a large matrix product in bf16, the reference for MFU."""
        side = 256 if self.tiny else 8192
        a, b = (torch.randn(side, side, device=self.device, dtype=BF16) for _ in "ab")
        return 2 * side**3 / self.seconds(lambda: a @ b)
