"""Small data sets, held on the device as the bytes they are."""

import hashlib
import math
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from s2mlp_dsl.train.augment import Augment, augmentation
from s2mlp_dsl.train.data import Batch, Data
from s2mlp_dsl.train.images import Preprocess, to_unit
from s2mlp_dsl.train.job import Job
from s2mlp_dsl.train.order import Request

Half = tuple[Tensor, Tensor]  # pixels uint8 [N, C, H, W], labels int64 [N]


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

    @property
    def labels_N(self) -> Tensor:
        return self.labels.cpu()

    @property
    def nbytes(self) -> int:
        """What it takes of the device's memory."""
        return self.pixels.nbytes + self.labels.nbytes

    def batches(self, requests: Iterable[Request]) -> Generator[Batch, None, None]:
        count = len(self.pixels)
        for request in requests:
            place = request.indices.to(self.labels.device)
            pixels_BCHW = to_unit(self.pixels[place % count], self.white)
            images_BCHW = self.augment(pixels_BCHW, request.draws, request.epoch)
            counted = request.counted
            yield Batch(
                images_BCHW,
                self.labels[place],
                request.indices,
                None if counted is None else counted.to(place.device),
            )


def statistics(
    pixels_NCHW: Tensor, white: int = 255
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel, for values in [0, 1].

    Whole numbers add up exactly, in any order and on any machine. A channel of
    one value has the deviation 1: it becomes zero, whatever it was.
    """
    means, deviations = [], []
    for channel_NHW in pixels_NCHW.unbind(1):
        values = channel_NHW.long()
        mean = values.sum().item() / values.numel()
        variance = values.square().sum().item() / values.numel() - mean**2
        means.append(mean / white)
        deviations.append(math.sqrt(variance) / white if variance > 0 else 1.0)
    return tuple(means), tuple(deviations)


def in_memory(
    job: Job,
    device: torch.device,
    preprocess: Preprocess,
    names: tuple[str, ...],
    halves: tuple[Half, Half],
    white: int,
    root: Path | None = None,
) -> Data:
    """A data set of tensors: the training half changed as the recipe says."""
    (train, train_labels), (test, test_labels) = halves
    digest = hashlib.sha256()
    for tensor in (train, train_labels, test, test_labels):
        digest.update(tensor.contiguous().numpy().tobytes())
    return Data(
        train=InMemory(
            train.to(device),
            white,
            train_labels.to(device),
            augmentation(job.recipe, preprocess),
        ),
        test=InMemory(
            test.to(device), white, test_labels.to(device), Augment(preprocess)
        ),
        preprocess=preprocess,
        class_names=names,
        fingerprint=digest.hexdigest(),
        root=root,
    )
