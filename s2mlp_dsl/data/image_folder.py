"""Image folders: `train/CLASS/*` and `val/CLASS/*`, decoded by worker processes."""

import hashlib
import signal
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.datasets import ImageFolder

from s2mlp_dsl.data.augment import Augment
from s2mlp_dsl.data.batch import Batch, BatchIndices
from s2mlp_dsl.data.images import read_image
from s2mlp_dsl.errors import EnvironmentFailure

# ImageNet's training images in [0, 1], the statistics of torchvision and timm.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
MOST_SKIPPED = 100  # unreadable images in a row after which skipping gives up

# Epoch, indices, keys and counted of `BatchIndices`, as a queue sends them cheaply.
Wanted = tuple[int, list[int], list[int], list[bool] | None]


@dataclass(frozen=True)
class Folders:
    """The files of both halves, in torchvision's order: by class, then by name."""

    root: Path
    train: ImageFolder
    test: ImageFolder

    @classmethod
    def open(cls, root: Path) -> "Folders":
        """Raises EnvironmentFailure if the folders are missing or do not match."""
        root = root.absolute()
        train, test = (_files(root, part) for part in ("train", "val"))
        if train.classes != test.classes:
            only = sorted(set(train.classes) ^ set(test.classes))[:5]
            raise EnvironmentFailure(
                f"{root}: train/ and val/ have different classes, such as "
                + ", ".join(only)
            )
        return cls(root, train, test)

    @property
    def class_names(self) -> tuple[str, ...]:
        return tuple(self.train.classes)

    def fingerprint(self) -> str:
        """A SHA-256 over all file names and labels."""
        digest = hashlib.sha256()
        for half in (self.train, self.test):
            for path, label in half.samples:
                name = Path(path).relative_to(self.root).as_posix()
                digest.update(f"{name}\0{label}\n".encode())
        return digest.hexdigest()


def _files(root: Path, part: str) -> ImageFolder:
    if not (root / part).is_dir():
        raise EnvironmentFailure(
            f"no images at {root / part}: expected "
            f"{root}/train/CLASS/*.JPEG and {root}/val/CLASS/*.JPEG; "
            "name the folder with --data DIR. ImageNet-1K comes from "
            "https://image-net.org after registration"
        )
    try:
        return ImageFolder(root / part)
    except OSError as error:
        raise EnvironmentFailure(f"cannot use {root / part}: {error}") from error


class Images(Dataset["tuple[Batch, Tensor, int] | EnvironmentFailure"]):
    """Decodes and augments the images of a batch, in a worker.

    An item is a batch of bytes, a quarter of what floats would be, with its keys and
    its epoch. With `skip`, the next readable image replaces a training image that
    cannot be read; in an evaluation, where none may count twice, nothing does.
    """

    def __init__(self, files: ImageFolder, augment: Augment, skip: bool) -> None:
        # One array each instead of a list of tuples: counting references to their
        # items would copy the list into every worker, page by page.
        self.paths = b"\0".join(path.encode() for path, _ in files.samples)
        ends = [len(path.encode()) + 1 for path, _ in files.samples]
        self.starts = torch.tensor([0, *ends]).cumsum(0)
        self.labels = torch.tensor([label for _, label in files.samples])
        self.augment, self.skip = augment, skip

    def __len__(self) -> int:
        return len(self.labels)

    def path(self, index: int) -> Path:
        start, end = self.starts[index : index + 2].tolist()
        return Path(self.paths[start : end - 1].decode())

    def __getitem__(
        self, wanted: Wanted
    ) -> tuple[Batch, Tensor, int] | EnvironmentFailure:
        epoch, indices, keys, counted = wanted
        images, found, skipped = [], [], list[str]()
        counts = list(counted or ())
        try:
            for place, (index, key) in enumerate(zip(indices, keys, strict=True)):
                image_CHW, at, reasons = self._readable(index, counted is not None)
                if image_CHW is None:
                    image_CHW = self._blank()
                    # Padding repeats an image that has been reported already.
                    reasons = reasons if counts[place] else []
                    counts[place] = False
                else:
                    image_CHW = self._changed(image_CHW, key, epoch)
                images.append(image_CHW)
                found.append(at)
                skipped += reasons
        except EnvironmentFailure as error:
            return error  # as a value: a worker's exception arrives in a traceback
        at_B = torch.tensor(found)
        batch = Batch(
            torch.stack(images),
            self.labels[at_B],
            at_B,
            None if counted is None else torch.tensor(counts),
            tuple(skipped),
        )
        return batch, torch.tensor(keys), epoch

    def _readable(
        self, index: int, evaluating: bool
    ) -> tuple[Tensor | None, int, list[str]]:
        """An image or the one that replaces it, its index, and what was unreadable."""
        channels, skipped = self.augment.preprocess.image[0], list[str]()
        for further in range(MOST_SKIPPED):
            at = (index + further) % len(self)
            try:
                return read_image(self.path(at), channels), at, skipped
            except EnvironmentFailure as error:
                if not self.skip:
                    raise
                skipped.append(str(error))
            if evaluating:
                return None, index, skipped
        raise EnvironmentFailure(
            f"{MOST_SKIPPED} images in a row cannot be read; the last: {skipped[-1]}"
        )

    def _blank(self) -> Tensor:
        return torch.zeros(self.augment.preprocess.image, dtype=torch.uint8)

    def _changed(self, image_CHW: Tensor, key: int, epoch: int) -> Tensor:
        if not self.augment.crops:
            image_CHW = self.augment.preprocess.fitted(image_CHW)
        return self.augment.change(image_CHW[None], torch.tensor([key]), epoch)[0]


@dataclass(frozen=True)
class FolderSplit:
    """One half of an image folder."""

    files: Images
    workers: int
    device: torch.device

    @property
    def images(self) -> int:
        return len(self.files)

    @property
    def labels_N(self) -> Tensor:
        return self.files.labels

    def batches(self, wanted: Iterable[BatchIndices]) -> Generator[Batch, None, None]:
        # One loader for a whole run: workers live through the epochs, and what they
        # are asked for depends on `wanted` alone.
        loader = DataLoader(
            self.files,
            batch_size=None,
            sampler=_Queueable(wanted),
            num_workers=self.workers,
            collate_fn=_as_it_is,
            worker_init_fn=ignore_signals,
            generator=torch.Generator(),
        )
        with _worker_failures():
            for loaded in loader:
                if isinstance(loaded, EnvironmentFailure):
                    raise loaded
                yield self._moved(*loaded)

    def _moved(self, batch: Batch, keys: Tensor, epoch: int) -> Batch:
        images_BCHW, counted_B = batch.images_BCHW, batch.counted_B
        if self.device.type == "cuda":
            images_BCHW = images_BCHW.pin_memory()
        images_BCHW = images_BCHW.to(self.device, non_blocking=True)
        return replace(
            batch,
            images_BCHW=self.files.augment.finish(images_BCHW, keys, epoch),
            labels_B=batch.labels_B.to(self.device, non_blocking=True),
            counted_B=None if counted_B is None else counted_B.to(self.device),
        )


@dataclass(frozen=True)
class _Queueable:
    """The wanted batches as the loader sends them to its workers."""

    wanted: Iterable[BatchIndices]

    def __iter__(self) -> Iterator[Wanted]:
        for batch in self.wanted:
            counted = None if batch.counted is None else batch.counted.tolist()
            yield batch.epoch, batch.indices.tolist(), batch.keys.tolist(), counted


def _as_it_is(loaded: object) -> object:
    return loaded


def ignore_signals(worker: int) -> None:
    """For loader workers: the parent decides, and may still need batches."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _worker_failures() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise EnvironmentFailure(
            f"a process that loads images died: {str(error).splitlines()[0]}; "
            "fewer workers need less memory"
        ) from error
