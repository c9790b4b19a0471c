"""The data sets that need no download: handwritten digits and random images."""

import torch
from torch import Tensor

from s2mlp_dsl.train.data import Data
from s2mlp_dsl.train.errors import UsageError
from s2mlp_dsl.train.images import Preprocess
from s2mlp_dsl.train.job import Job
from s2mlp_dsl.train.memory import in_memory, statistics
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
    mean, std = statistics(train[:, None].long(), white=16)
    preprocess = Preprocess(image=job.image, fit="stretch", mean=mean, std=std)
    names = tuple(str(name) for name in bunch.target_names)
    halves = (
        (train[:, None].to(torch.uint8), train_labels.long()),
        (test[:, None].to(torch.uint8), test_labels.long()),
    )
    return in_memory(job, device, preprocess, names, halves, white=16)


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
    return in_memory(job, device, preprocess, names, halves, white=255)


def _noise(job: Job, images: int, seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shape = (min(images, POOL), *job.image)
    pixels = torch.randint(256, shape, dtype=torch.uint8, generator=generator)
    return pixels, torch.randint(job.classes, (images,), generator=generator)
