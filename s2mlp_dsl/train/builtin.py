"""The data sets that need no download: handwritten digits and random images."""

import hashlib
import math

import torch
from torch import Tensor

from s2mlp_dsl.train.augment import Augment, augmentation
from s2mlp_dsl.train.data import Data, InMemory
from s2mlp_dsl.train.errors import UsageError
from s2mlp_dsl.train.images import Preprocess
from s2mlp_dsl.train.job import Job
from s2mlp_dsl.train.seeds import derive

DIGITS_TEST = 360
POOL = 1024  # different images of the synthetic set; more repeat them


def digits(job: Job, device: torch.device) -> Data:
    """scikit-learn's 1,797 digits of 8×8: 1,437 to train, 360 to test.

    The split is stratified by class, with seed 0, whatever the recipe's seed.
    Raises UsageError if the model does not take them.
    """
    if job.image != (1, 8, 8) or job.classes != 10:
        channels, height, width = job.image
        raise UsageError(
            "digits are 1×8×8 images of 10 classes, but the model "
            f"{job.model_name} takes {channels}×{height}×{width} images "
            f"and has {job.classes:,} classes"
        )
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    bunch = load_digits()
    parts = train_test_split(
        bunch.images,
        bunch.target,
        test_size=DIGITS_TEST,
        random_state=0,
        stratify=bunch.target,
    )
    train, test, train_labels, test_labels = (torch.as_tensor(p) for p in parts)
    # Whole numbers add up exactly, in any order and on any machine.
    values = train.long()
    mean = values.sum().item() / values.numel()
    variance = values.square().sum().item() / values.numel() - mean**2
    preprocess = Preprocess(
        image=job.image,
        fit="stretch",
        mean=(mean / 16,),
        std=(math.sqrt(variance) / 16,),
    )
    names = tuple(str(name) for name in bunch.target_names)
    halves = (
        (train[:, None].to(torch.uint8), train_labels.long()),
        (test[:, None].to(torch.uint8), test_labels.long()),
    )
    return _in_memory(job, device, preprocess, names, halves, white=16)


def synthetic(job: Job, images: int, device: torch.device) -> Data:
    """Noise of the model's size with random labels, the same in every run.

    A quarter as many are for the test.
    """
    preprocess = Preprocess(
        image=job.image,
        fit="stretch",
        mean=(0.5,) * job.image[0],
        std=(0.29,) * job.image[0],  # of the uniform distribution: 1 / √12
    )
    halves = (
        _noise(job, images, derive("synthetic train")),
        _noise(job, max(1, images // 4), derive("synthetic test")),
    )
    names = tuple(str(number) for number in range(job.classes))
    return _in_memory(job, device, preprocess, names, halves, white=255)


def _noise(job: Job, images: int, seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shape = (min(images, POOL), *job.image)
    pixels = torch.randint(256, shape, dtype=torch.uint8, generator=generator)
    return pixels, torch.randint(job.classes, (images,), generator=generator)


def _in_memory(
    job: Job,
    device: torch.device,
    preprocess: Preprocess,
    names: tuple[str, ...],
    halves: tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]],
    white: int,
) -> Data:
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
    )
