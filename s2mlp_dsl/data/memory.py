"""Data sets that fit into memory, kept on the device as bytes."""

import hashlib
import math
import re
from collections.abc import Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from s2mlp_dsl.data.augment import Augment
from s2mlp_dsl.data.batch import Batch, BatchIndices
from s2mlp_dsl.data.images import to_unit
from s2mlp_dsl.errors import UsageError

Half = tuple[Tensor, Tensor]  # pixels uint8 [N, C, H, W], labels int64 [N]
Channels = tuple[float, ...]


@dataclass(frozen=True)
class Arrays:
    """A whole data set as tensors on the CPU.

    `white` is the pixel value that becomes 1. Images are normalised by `mean` and
    `std`, or by the statistics of the training half where those are None. Images of
    another size than the model's are resized, if `resizable`. Pixels that are fewer
    than the labels repeat in order.
    """

    train: Half
    test: Half
    class_names: tuple[str, ...]
    white: int = 255
    mean: Channels | None = None
    std: Channels | None = None
    resizable: bool = True

    def fingerprint(self) -> str:
        """A SHA-256 over all pixels and labels."""
        digest = hashlib.sha256()
        for tensor in (*self.train, *self.test):
            digest.update(tensor.contiguous().numpy().tobytes())
        return digest.hexdigest()

    def statistics(self) -> tuple[Channels, Channels]:
        """Each channel's mean and standard deviation, for values in [0, 1].

        Whole numbers add up exactly, in any order and on any machine. A constant
        channel has the deviation 1, so that it is normalised to zero.
        """
        if self.mean is not None and self.std is not None:
            return self.mean, self.std
        means, deviations = [], []
        for channel_NHW in self.train[0].unbind(1):
            values = channel_NHW.long()
            mean = values.sum().item() / values.numel()
            variance = values.square().sum().item() / values.numel() - mean**2
            means.append(mean / self.white)
            deviations.append(math.sqrt(variance) / self.white if variance > 0 else 1.0)
        return tuple(means), tuple(deviations)


def require_memory(needed: int, what: str) -> None:
    """Raise UsageError if so many bytes are more than this machine has free."""
    free = _free_memory()
    if free is not None and needed > free:
        raise UsageError(
            f"{what} need {needed / 2**30:,.1f} GiB of memory; "
            f"{free / 2**30:,.1f} GiB are free"
        )


def _free_memory() -> int | None:
    """Bytes that Linux can give without swapping, None elsewhere."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return None
    found = re.search(r"^MemAvailable: *(\d+) kB$", text, re.MULTILINE)
    free = int(found[1]) * 1024 if found else None
    with suppress(ImportError, AttributeError):
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY:
            free = limit if free is None else min(free, limit)
    return free


@dataclass(frozen=True)
class InMemory:
    """One half of such a data set, on the device."""

    pixels: Tensor
    labels: Tensor
    white: int
    augment: Augment

    @classmethod
    def on(
        cls, device: torch.device, half: Half, white: int, augment: Augment
    ) -> "InMemory":
        """A half of `Arrays`, copied to a device."""
        return cls(half[0].to(device), half[1].to(device), white, augment)

    @property
    def images(self) -> int:
        return len(self.labels)

    @property
    def labels_N(self) -> Tensor:
        return self.labels.cpu()

    @property
    def nbytes(self) -> int:
        """Its size in the device's memory."""
        return self.pixels.nbytes + self.labels.nbytes

    def batches(self, wanted: Iterable[BatchIndices]) -> Generator[Batch, None, None]:
        count = len(self.pixels)
        for batch in wanted:
            at = batch.indices.to(self.labels.device)
            pixels_BCHW = to_unit(self.pixels[at % count], self.white)
            counted = batch.counted
            yield Batch(
                self.augment(pixels_BCHW, batch.keys, batch.epoch),
                self.labels[at],
                batch.indices,
                None if counted is None else counted.to(at.device),
            )
