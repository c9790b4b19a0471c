"""What is measured of a model, and where."""

from typing import Literal

from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.recipe import Precision

Mode = Literal["eager", "compiled"]


class Setting(Record):
    """What to measure. `seconds` is how long each time is measured, at least.

    `batch` images go through at once; with `train`, through a step of training
    (forward, backward, AdamW) instead of a forward pass. `threads` of the CPU are
    PyTorch's default where None.
    """

    batch: int
    train: bool = False
    device: str | None = None
    threads: int | None = None
    precision: Precision = "fp32"
    seconds: float = 2.0


class Times(Record):
    """Seconds of one pass: the median of `runs`, and the quartiles around it."""

    median: float
    low: float
    high: float
    runs: int


class Machine(Record):
    """Where it was measured. `processor` is the GPU's name if a GPU computes.

    `load` is the load average of the last minute, None where the system has none.
    """

    device: str
    processor: str
    system: str
    threads: int
    load: float | None
    precision: str
    versions: dict[str, str]


class Row(Record):
    """The figures of one mode.

    `latency` is of one image, None in training; `time` is of a batch. Peak memory is
    in bytes, of a batch with weights included: on a GPU what PyTorch's allocator had,
    on a CPU what the process had beyond PyTorch itself, None where the system does not
    tell. `compiling` is the time of the first passes, in seconds. `failed` says why
    there are no figures.
    """

    mode: Mode
    latency: Times | None = None
    time: Times | None = None
    images_per_second: float | None = None
    peak_memory_bytes: int | None = None
    compiling: float | None = None
    failed: str | None = None


class Bench(Record):
    """All figures of a model, of `params` and `macs` per image."""

    model: str
    params: int
    macs: int
    setting: Setting
    machine: Machine
    rows: tuple[Row, ...]
