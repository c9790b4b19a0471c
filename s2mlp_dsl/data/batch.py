"""Batches, and the data sets that make them."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from torch import Tensor

from s2mlp_dsl.data.images import Preprocess


@dataclass(frozen=True)
class BatchIndices:
    """Which images make up a batch: `indices`, int64 [B], in one epoch.

    `keys`, int64 [B], select the random numbers that augment each image: the index,
    unless an image is shown more than once an epoch. `counted`, bool [B], is false
    for padding of an evaluation's last batch; None counts all.
    """

    epoch: int
    indices: Tensor
    keys: Tensor
    counted: Tensor | None = None


@dataclass(frozen=True)
class Batch:
    """Normalised float32 images, int64 labels, and the samples' indices.

    `counted_B` is false for padding in an evaluation, None if all images count.
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
        """The labels of all images, int64 [images], on the CPU."""
        ...

    def batches(self, wanted: Iterable[BatchIndices]) -> Generator[Batch, None, None]:
        """Each wanted batch on the device, in order."""
        ...


@dataclass(frozen=True)
class Data:
    """A data set as a recipe uses it.

    `fingerprint` is a hash that changes when the samples or their order do; `root`
    is the folder of data that is read from files. `train_images` counts the different
    images that are trained on: all of `train`, or the recipe's fraction of them.
    `left_out` says which files of its folder are not used.
    """

    train: Split
    test: Split
    preprocess: Preprocess
    class_names: tuple[str, ...]
    fingerprint: str
    train_images: int
    root: Path | None = None
    left_out: tuple[str, ...] = ()
