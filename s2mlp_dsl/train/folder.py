"""Image folders: `train/CLASS/*` and `val/CLASS/*`, decoded by workers."""

import hashlib
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.datasets import ImageFolder

from s2mlp_dsl.train.augment import Augment, augmentation
from s2mlp_dsl.train.data import Batch, Data
from s2mlp_dsl.train.errors import EnvironmentFailure, UsageError
from s2mlp_dsl.train.images import Preprocess, read_image
from s2mlp_dsl.train.job import Job
from s2mlp_dsl.train.order import Request
from s2mlp_dsl.train.signals import leave_to_parent

# Of ImageNet's training images in [0, 1], as torchvision and timm use them.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
STAND_INS = 100  # unreadable images in a row after which skipping gives up


@dataclass(frozen=True)
class Wanted:
    """One image of a request: see `Request`."""

    epoch: int
    index: int
    draw: int
    counted: bool | None


@dataclass(frozen=True)
class Item:
    """A decoded image, uint8, and the reasons of those that could not be."""

    image_CHW: Tensor
    label: int
    index: int
    at: Wanted
    counted: bool | None
    skipped: tuple[str, ...]


@dataclass(frozen=True)
class Loaded:
    """A batch as workers send it: bytes, a quarter of what floats would be."""

    batch: Batch
    draws: Tensor
    epoch: int


def folder(job: Job, device: torch.device, root: Path) -> Data:
    """The image folders under `root`.

    Raises EnvironmentFailure if they are not there, UsageError if the model takes
    other images or has another number of classes.
    """
    root = root.absolute()
    halves = [_files(root, part) for part in ("train", "val")]
    train, test = halves
    if train.classes != test.classes:
        only = sorted(set(train.classes) ^ set(test.classes))[:5]
        raise EnvironmentFailure(
            f"{root}: train/ and val/ have different classes, such as "
            + ", ".join(only)
        )
    if len(train.classes) != job.classes or job.image[0] not in (1, 3):
        raise UsageError(
            f"{root} has {len(train.classes):,} classes of images with 1 or 3 "
            f"channels, but the model {job.model_name} has {job.classes:,} classes "
            f"and takes images with {job.image[0]}"
        )
    colours = job.image[0] == 3
    preprocess = Preprocess(
        image=job.image,
        fit="crop",
        mean=MEAN if colours else (sum(MEAN) / 3,),
        std=STD if colours else (sum(STD) / 3,),
    )
    changes = (augmentation(job.recipe, preprocess), Augment(preprocess))
    skip, workers = job.recipe.corrupt == "skip", job.recipe.workers
    return Data(
        train=Folder(Images(train, changes[0], skip), workers, device),
        test=Folder(Images(test, changes[1], skip), workers, device),
        preprocess=preprocess,
        class_names=tuple(train.classes),
        fingerprint=_fingerprint(root, halves),
        root=root,
    )


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


def _fingerprint(root: Path, halves: list[ImageFolder]) -> str:
    digest = hashlib.sha256()
    for half in halves:
        for path, label in half.samples:
            name = Path(path).relative_to(root).as_posix()
            digest.update(f"{name}\0{label}\n".encode())
    return digest.hexdigest()


class Images(Dataset[Item | EnvironmentFailure]):
    """Decodes, fits and changes one image, in a worker.

    With `skip`, the next readable image stands in for a training image that
    cannot be read; in a test, where none may count twice, nothing does.
    """

    def __init__(self, files: ImageFolder, augment: Augment, skip: bool) -> None:
        # One array each instead of a list of tuples, which every worker would
        # copy piece by piece as it counts references.
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

    def __getitem__(self, at: Wanted) -> Item | EnvironmentFailure:
        channels = self.augment.preprocess.image[0]
        skipped: list[str] = []
        for further in range(STAND_INS):
            index = (at.index + further) % len(self)
            try:
                image_CHW = read_image(self.path(index), channels)
            except EnvironmentFailure as error:
                # As a value: an exception would arrive wrapped in a traceback.
                if not self.skip:
                    return error
                skipped.append(str(error))
                if at.counted is not None:
                    size = self.augment.preprocess.image
                    blank = torch.zeros(size, dtype=torch.uint8)
                    reasons = tuple(skipped) if at.counted else ()
                    return Item(blank, 0, at.index, at, False, reasons)
                continue
            changed = self._changed(image_CHW, at)
            label = int(self.labels[index])
            return Item(changed, label, index, at, at.counted, tuple(skipped))
        return EnvironmentFailure(
            f"{STAND_INS} images in a row cannot be read; the last: {skipped[-1]}"
        )

    def _changed(self, image_CHW: Tensor, at: Wanted) -> Tensor:
        if not self.augment.crops:
            image_CHW = self.augment.preprocess.fitted(image_CHW)
        draws = torch.tensor([at.draw])
        return self.augment.changed(image_CHW[None], draws, at.epoch)[0]


@dataclass(frozen=True)
class Coordinated:
    """Requests as the loader wants them: a list of single images per batch."""

    requests: Iterable[Request]

    def __iter__(self) -> Iterator[list[Wanted]]:
        for request in self.requests:
            indices, draws = request.indices.tolist(), request.draws.tolist()
            counted: list[bool | None] = [None] * len(indices)
            if request.counted is not None:
                counted = request.counted.tolist()
            rows = zip(indices, draws, counted, strict=True)
            yield [Wanted(request.epoch, *row) for row in rows]


def _collate(items: list[Item | EnvironmentFailure]) -> Loaded | EnvironmentFailure:
    good: list[Item] = []
    for item in items:
        if isinstance(item, EnvironmentFailure):
            return item
        good.append(item)
    counted = [bool(item.counted) for item in good]
    batch = Batch(
        torch.stack([item.image_CHW for item in good]),
        torch.tensor([item.label for item in good]),
        torch.tensor([item.index for item in good]),
        None if good[0].counted is None else torch.tensor(counted),
        tuple(reason for item in good for reason in item.skipped),
    )
    draws = torch.tensor([item.at.draw for item in good])
    return Loaded(batch, draws, good[0].at.epoch)


@dataclass(frozen=True)
class Folder:
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

    def batches(self, requests: Iterable[Request]) -> Generator[Batch, None, None]:
        # One loader for all requests: workers live through the epochs, and
        # what they are asked for depends on the requests alone.
        loader: DataLoader[Item | EnvironmentFailure] = DataLoader(
            self.files,
            batch_sampler=Coordinated(requests),
            num_workers=self.workers,
            collate_fn=_collate,
            worker_init_fn=leave_to_parent,
            generator=torch.Generator(),
        )
        with _workers_reported():
            for loaded in loader:
                if isinstance(loaded, EnvironmentFailure):
                    raise loaded
                yield self._moved(loaded)

    def _moved(self, loaded: Loaded) -> Batch:
        batch, images_BCHW = loaded.batch, loaded.batch.images_BCHW
        if self.device.type == "cuda":
            images_BCHW = images_BCHW.pin_memory()
        images_BCHW = images_BCHW.to(self.device, non_blocking=True)
        counted_B = batch.counted_B
        return Batch(
            self.files.augment.finished(images_BCHW, loaded.draws, loaded.epoch),
            batch.labels_B.to(self.device, non_blocking=True),
            batch.indices,
            None if counted_B is None else counted_B.to(self.device),
            batch.skipped,
        )


@contextmanager
def _workers_reported() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise EnvironmentFailure(
            f"a process that loads images died: {str(error).splitlines()[0]}; "
            "fewer workers need less memory"
        ) from error
