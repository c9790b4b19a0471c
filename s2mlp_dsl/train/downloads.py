"""Data sets as their authors package them, read by torchvision, never fetched."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision import datasets
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as vision

from s2mlp_dsl.train.data import Data
from s2mlp_dsl.train.errors import EnvironmentFailure, UsageError
from s2mlp_dsl.train.images import Preprocess
from s2mlp_dsl.train.job import Job
from s2mlp_dsl.train.memory import Half, in_memory, statistics

DEFAULT_ROOT = Path("data")


@dataclass(frozen=True)
class Package:
    """How torchvision reads a data set, what to expect, and where it comes from."""

    reader: Any
    channels: int
    files: str  # below the root
    source: str
    archive: str


CIFAR = "https://www.cs.toronto.edu/~kriz/cifar.html"
PACKAGES = {
    "fashion_mnist": Package(
        datasets.FashionMNIST,
        1,
        "FashionMNIST/raw/train-images-idx3-ubyte and its three siblings",
        "https://github.com/zalandoresearch/fashion-mnist (on Debian also the "
        "package dataset-fashion-mnist)",
        "gunzip its four files",
    ),
    "cifar10": Package(
        datasets.CIFAR10, 3, "cifar-10-batches-py/", CIFAR, "untar the Python version"
    ),
    "cifar100": Package(
        datasets.CIFAR100, 3, "cifar-100-python/", CIFAR, "untar the Python version"
    ),
}


def packaged(kind: str, job: Job, device: torch.device, root: Path | None) -> Data:
    """A packaged data set under `root`, or under `./data`, held on the device.

    Images of another size than the model's are resized once, here. Raises
    EnvironmentFailure if it is missing or damaged, UsageError if the model takes other
    channels or has another number of classes.
    """
    package, place = PACKAGES[kind], (root or DEFAULT_ROOT).absolute()
    train, test = (_read(kind, package, place, train) for train in (True, False))
    names = tuple(train.classes)
    if job.classes != len(names) or job.image[0] != package.channels:
        raise UsageError(
            f"{kind} has {len(names)} classes of images with {package.channels} "
            f"channels, but the model {job.model_name} has {job.classes:,} classes "
            f"and takes images with {job.image[0]}"
        )
    halves = _half(train, job.image), _half(test, job.image)
    mean, std = statistics(halves[0][0])
    preprocess = Preprocess(image=job.image, fit="stretch", mean=mean, std=std)
    return in_memory(job, device, preprocess, names, halves, white=255, root=place)


def _read(kind: str, package: Package, root: Path, train: bool) -> Any:
    try:
        return package.reader(str(root), train=train, download=False)
    except (RuntimeError, OSError, ValueError, EOFError) as error:
        # torchvision says the same of a missing and of a damaged set.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise EnvironmentFailure(
            f"no usable {kind} at {root}: expected {root}/{package.files}. Get it "
            f"from {package.source}, {package.archive} there, or name another "
            f"folder with --data DIR. ({reason})"
        ) from error


def _half(part: Any, image: tuple[int, int, int]) -> Half:
    pixels = torch.as_tensor(np.asarray(part.data))
    # FashionMNIST is [N, H, W], CIFAR [N, H, W, C].
    pixels_NCHW = pixels[:, None] if pixels.ndim == 3 else pixels.permute(0, 3, 1, 2)
    labels = torch.as_tensor(np.asarray(part.targets)).long()
    return _sized(pixels_NCHW.contiguous(), image), labels


def _sized(pixels_NCHW: Tensor, image: tuple[int, int, int]) -> Tensor:
    if tuple(pixels_NCHW.shape[2:]) == image[1:]:
        return pixels_NCHW
    resized: Tensor = vision.resize(
        pixels_NCHW, list(image[1:]), InterpolationMode.BICUBIC, antialias=True
    )
    return resized
