"""Data sets in their authors' file formats, read by torchvision; never downloaded."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from s2mlp_dsl.data.memory import Arrays, Half
from s2mlp_dsl.errors import EnvironmentFailure

CIFAR_SOURCE = "https://www.cs.toronto.edu/~kriz/cifar.html, untar the Python version"


def read_packaged(
    reader: Any, name: str, root: Path, files: str, source: str
) -> Arrays:
    """The data set of a torchvision class under `root`.

    `files` are expected below `root`; `source` says where to get them, and what to do
    with the download. Raises EnvironmentFailure if they are missing or damaged.
    """
    try:
        train, test = (
            reader(str(root), train=train, download=False) for train in (True, False)
        )
    except (RuntimeError, OSError, ValueError, EOFError) as error:
        # torchvision says the same of a missing and of a damaged set.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise EnvironmentFailure(
            f"no usable {name} at {root}: expected {root}/{files}. Get it from "
            f"{source} there, or name another folder with --data DIR. ({reason})"
        ) from error
    return Arrays(_half(train), _half(test), tuple(train.classes))


def _half(part: Any) -> Half:
    pixels = torch.as_tensor(np.asarray(part.data))
    # FashionMNIST is [N, H, W], CIFAR [N, H, W, C].
    pixels_NCHW = pixels[:, None] if pixels.ndim == 3 else pixels.permute(0, 3, 1, 2)
    labels = torch.as_tensor(np.asarray(part.targets)).long()
    return pixels_NCHW.contiguous(), labels
