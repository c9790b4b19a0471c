"""What the loop sees of a data set, and data sets that live in memory."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from torch import Tensor

from s2mlp_dsl.train.augment import Augment
from s2mlp_dsl.train.images import Preprocess, to_unit
from s2mlp_dsl.train.order import Request


@dataclass(frozen=True)
class Batch:
    """Normalised float32 images, int64 class numbers, and which samples they are."""

    images_BCHW: Tensor
    labels_B: Tensor
    indices: Tensor


class Split(Protocol):
    """The training or the test half of a data set."""

    @property
    def images(self) -> int: ...

    def batches(self, requests: Iterable[Request]) -> Generator[Batch, None, None]:
        """One batch on the device for each request, in order."""
        ...


@dataclass(frozen=True)
class Data:
    """A data set as one recipe wants it.

    `fingerprint` is a hash that changes when the samples or their order do;
    `root` is the folder of data that lives in files.
    """

    train: Split
    test: Split
    preprocess: Preprocess
    class_names: tuple[str, ...]
    fingerprint: str
    root: Path | None = None


@dataclass(frozen=True)
class InMemory:
    """A small split, held on the device: pixels uint8 [N, C, H, W], labels [N]."""

    pixels: Tensor
    white: int
    labels: Tensor
    augment: Augment

    @property
    def images(self) -> int:
        return len(self.labels)

    def batches(self, requests: Iterable[Request]) -> Generator[Batch, None, None]:
        count = len(self.pixels)
        for request in requests:
            place = request.indices.to(self.labels.device)
            pixels_BCHW = to_unit(self.pixels[place % count], self.white)
            images_BCHW = self.augment(pixels_BCHW, request.indices, request.epoch)
            yield Batch(images_BCHW, self.labels[place], request.indices)
