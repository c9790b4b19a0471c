"""Image folders: `train/CLASS/*` and `val/CLASS/*`, decoded by worker processes."""

import os
import signal
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from s2mlp_dsl.data.augment import Augment
from s2mlp_dsl.data.batch import Batch, BatchIndices
from s2mlp_dsl.data.image_files import (
    LOOP,
    SUFFIXES,
    Found,
    entries,
    find_images,
    fingerprint,
    is_system,
    shown,
)
from s2mlp_dsl.data.images import read_image
from s2mlp_dsl.errors import EnvironmentFailure

# ImageNet's training images in [0, 1], the statistics of torchvision and timm.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
MOST_SKIPPED = 100  # unreadable images in a row after which skipping gives up

# Epoch, indices, keys and counted of `BatchIndices`, as a queue sends them cheaply.
Wanted = tuple[int, list[int], list[int], list[bool] | None]


@dataclass(frozen=True)
class Half:
    """The files of `train/` or `val/` and their labels, by class, then by name.

    The order is torchvision's. `left_out` has a line for what is not used.
    """

    paths: list[Path]
    labels: list[int]
    class_names: tuple[str, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class Folders:
    """The files of both halves."""

    root: Path
    train: Half
    test: Half

    @classmethod
    def open(cls, root: Path) -> "Folders":
        """Raises EnvironmentFailure if the folders are missing or do not match."""
        root = root.absolute()
        train, test = (_half(root, part) for part in ("train", "val"))
        if train.class_names != test.class_names:
            only = sorted(set(train.class_names) ^ set(test.class_names))[:5]
            raise EnvironmentFailure(
                f"{shown(root)}: train/ and val/ have different classes, such as "
                + ", ".join(only)
            )
        return cls(root, train, test)

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.train.class_names

    @property
    def left_out(self) -> tuple[str, ...]:
        return self.train.left_out + self.test.left_out

    def fingerprint(self) -> str:
        """A SHA-256 over all files' names, sizes and classes; see `image_files`."""
        samples = (
            (path, half.class_names[label])
            for half in (self.train, self.test)
            for path, label in zip(half.paths, half.labels, strict=True)
        )
        return fingerprint(self.root, samples)


def _half(root: Path, part: str) -> Half:
    """The class folders of a part; links to folders count as folders."""
    folder = root / part
    if not folder.is_dir():
        raise EnvironmentFailure(
            f"no images at {shown(folder)}: expected "
            f"{shown(root)}/train/CLASS/*.JPEG and {shown(root)}/val/CLASS/*.JPEG; "
            "name the folder with --data DIR. ImageNet-1K comes from "
            "https://image-net.org after registration"
        )
    classes: dict[str, Found] = {}
    left_out = Found()
    for path in entries(folder):
        if is_system(path.name):
            left_out.left_out["hidden or system files and folders"] += 1
        elif path.is_dir():
            found = find_images(path, within=folder)
            if found.failures:
                raise EnvironmentFailure(found.failures[0])
            left_out.left_out += found.left_out
            name = shown(path.name)
            if name in classes:
                raise EnvironmentFailure(
                    f"two class folders in {shown(folder)} are shown as {name}, one of "
                    "them with escapes: rename one"
                )
            if found.files or LOOP not in found.left_out:
                classes[name] = found
        else:
            left_out.left_out["files that are not in a class folder"] += 1
    if empty := [name for name, found in classes.items() if not found.files]:
        raise EnvironmentFailure(
            f"cannot use {shown(folder)}: no image ({', '.join(SUFFIXES)}) in "
            + ", ".join(empty[:5])
        )
    if not classes:
        raise EnvironmentFailure(f"cannot use {shown(folder)}: it has no class folder")
    return Half(
        [path for found in classes.values() for path in found.files],
        [label for label, one in enumerate(classes.values()) for _ in one.files],
        tuple(classes),
        left_out.notes(folder),
    )


class Images(Dataset["tuple[Batch, Tensor, int] | EnvironmentFailure"]):
    """Decodes and augments the images of a batch, in a worker.

    An item is a batch of bytes, a quarter of what floats would be, with its keys and
    its epoch. With `skip`, the next readable image replaces a training image that
    cannot be read; in an evaluation, where none may count twice, nothing does.
    """

    def __init__(self, files: Half, augment: Augment, skip: bool) -> None:
        # One array each instead of a list of tuples: counting references to their
        # items would copy the list into every worker, page by page.
        names = [os.fsencode(path) for path in files.paths]
        self.paths = b"\0".join(names)
        self.starts = torch.tensor([0, *(len(one) + 1 for one in names)]).cumsum(0)
        self.labels = torch.tensor(files.labels)
        self.augment, self.skip = augment, skip

    def __len__(self) -> int:
        return len(self.labels)

    def path(self, index: int) -> Path:
        start, end = self.starts[index : index + 2].tolist()
        return Path(os.fsdecode(self.paths[start : end - 1]))

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
                    image_CHW = self.augment.change(
                        image_CHW[None], torch.tensor([key]), epoch
                    )[0]
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
        skipped = list[str]()
        for further in range(MOST_SKIPPED):
            at = (index + further) % len(self)
            try:
                return self._read(self.path(at)), at, skipped
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

    def _read(self, path: Path) -> Tensor:
        """Of the model's size, unless an augmentation crops."""
        preprocess = self.augment.preprocess
        image_CHW = read_image(path, preprocess.image[0])
        return image_CHW if self.augment.crops else preprocess.fitted(image_CHW)


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
