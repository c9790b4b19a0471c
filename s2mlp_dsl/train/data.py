"""What the loop sees of a data set."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from torch import Tensor

from s2mlp_dsl.train.images import Preprocess
from s2mlp_dsl.train.order import Request


@dataclass(frozen=True)
class Batch:
    """Normalised float32 images, int64 class numbers, and which samples they are.

    `counted_B` is false for what a test must not count, None if all counts.
    `skipped` names unreadable files, each with the reason.
    """

    images_BCHW: Tensor
    labels_B: Tensor
    indices: Tensor
    counted_B: Tensor | None = None
    skipped: tuple[str, ...] = ()


class Split(Protocol):
    """The training or the test half of a data set."""

    @property
    def images(self) -> int: ...

    @property
    def labels_N(self) -> Tensor:
        """The class numbers of all images, int64 [images], on the CPU."""
        ...

    def batches(self, requests: Iterable[Request]) -> Generator[Batch, None, None]:
        """One batch on the device for each request, in order."""
        ...


@dataclass(frozen=True)
class Data:
    """A data set as one recipe wants it.

    `fingerprint` is a hash that changes when the samples or their order do;
    `root` is the folder of data that lives in files. `distinct` counts the
    training images where the recipe takes only a share of them.
    """

    train: Split
    test: Split
    preprocess: Preprocess
    class_names: tuple[str, ...]
    fingerprint: str
    root: Path | None = None
    distinct: int | None = None

    @property
    def train_images(self) -> int:
        """How many different images are trained on."""
        return self.train.images if self.distinct is None else self.distinct
