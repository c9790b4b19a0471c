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
from s2mlp_dsl.train.errors import UsageError, WorldError
from s2mlp_dsl.train.images import Preprocess, read_image
from s2mlp_dsl.train.job import Job
from s2mlp_dsl.train.order import Request
from s2mlp_dsl.train.signals import leave_to_parent

DEFAULT_ROOT = Path("data/imagenet")
# Of ImageNet's training images in [0, 1], as torchvision and timm use them.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

Coordinates = tuple[int, int]  # epoch, sample index
Item = tuple[Tensor, int, int] | WorldError  # image, label, sample index
Loaded = tuple[Tensor, Tensor, Tensor] | WorldError


def imagenet(job: Job, device: torch.device, root: Path | None) -> Data:
    """The image folders under `root`, or under `./data/imagenet`.

    Raises WorldError if they are not there, UsageError if the model takes
    other images or has another number of classes.
    """
    folder = (root or DEFAULT_ROOT).absolute()
    halves = [_files(folder, part) for part in ("train", "val")]
    train, test = halves
    if train.classes != test.classes:
        only = sorted(set(train.classes) ^ set(test.classes))[:5]
        raise WorldError(
            f"{folder}: train/ and val/ have different classes, such as "
            + ", ".join(only)
        )
    if len(train.classes) != job.classes or job.image[0] != 3:
        raise UsageError(
            f"{folder} has {len(train.classes):,} classes of images with 3 channels, "
            f"but the model {job.model_name} has {job.classes:,} classes and takes "
            f"images with {job.image[0]}"
        )
    preprocess = Preprocess(image=job.image, fit="crop", mean=MEAN, std=STD)
    workers = job.recipe.workers
    return Data(
        train=Folder(train, augmentation(job.recipe, preprocess), workers, device),
        test=Folder(test, Augment(preprocess), workers, device),
        preprocess=preprocess,
        class_names=tuple(train.classes),
        fingerprint=_fingerprint(folder, halves),
        root=folder,
    )


def _files(folder: Path, part: str) -> ImageFolder:
    if not (folder / part).is_dir():
        raise WorldError(
            f"no images at {folder / part}: expected "
            f"{folder}/train/CLASS/*.JPEG and {folder}/val/CLASS/*.JPEG; "
            "name the folder with --data DIR"
        )
    try:
        return ImageFolder(folder / part)
    except OSError as error:
        raise WorldError(f"cannot use {folder / part}: {error}") from error


def _fingerprint(folder: Path, halves: list[ImageFolder]) -> str:
    digest = hashlib.sha256()
    for half in halves:
        for path, label in half.samples:
            name = Path(path).relative_to(folder).as_posix()
            digest.update(f"{name}\0{label}\n".encode())
    return digest.hexdigest()


class Images(Dataset[Item]):
    """Decodes, fits and changes one image, in a worker."""

    def __init__(self, files: ImageFolder, augment: Augment) -> None:
        self.samples = files.samples
        self.augment = augment

    def __getitem__(self, at: Coordinates) -> Item:
        epoch, index = at
        path, label = self.samples[index]
        try:
            image_CHW = read_image(Path(path), 3)
        except WorldError as error:
            # As a value: an exception would arrive wrapped in a traceback.
            return error
        if not self.augment.crops:
            image_CHW = self.augment.preprocess.fitted(image_CHW)
        changed = self.augment(image_CHW[None], torch.tensor([index]), epoch)
        return changed[0], label, index


@dataclass(frozen=True)
class Coordinated:
    """Requests as the loader wants them: a list of coordinates per batch."""

    requests: Iterable[Request]

    def __iter__(self) -> Iterator[list[Coordinates]]:
        for request in self.requests:
            yield [(request.epoch, index) for index in request.indices.tolist()]


def _collate(items: list[Item]) -> Loaded:
    images, labels, indices = [], [], []
    for item in items:
        if isinstance(item, WorldError):
            return item
        images.append(item[0])
        labels.append(item[1])
        indices.append(item[2])
    return torch.stack(images), torch.tensor(labels), torch.tensor(indices)


@dataclass(frozen=True)
class Folder:
    """One half of an image folder."""

    files: ImageFolder
    augment: Augment
    workers: int
    device: torch.device

    @property
    def images(self) -> int:
        return len(self.files.samples)

    def batches(self, requests: Iterable[Request]) -> Generator[Batch, None, None]:
        # One loader for all requests: workers live through the epochs, and
        # what they are asked for depends on the requests alone.
        loader: DataLoader[Item] = DataLoader(
            Images(self.files, self.augment),
            batch_sampler=Coordinated(requests),
            num_workers=self.workers,
            collate_fn=_collate,
            worker_init_fn=leave_to_parent,
            pin_memory=self.device.type == "cuda",
            generator=torch.Generator(),
        )
        with _workers_reported():
            for loaded in loader:
                if isinstance(loaded, WorldError):
                    raise loaded
                images, labels, indices = loaded
                yield Batch(
                    images.to(self.device, non_blocking=True),
                    labels.to(self.device, non_blocking=True),
                    indices,
                )


@contextmanager
def _workers_reported() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise WorldError(
            f"a process that loads images died: {str(error).splitlines()[0]}; "
            "fewer workers need less memory"
        ) from error
