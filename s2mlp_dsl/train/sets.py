"""The data sets by the names recipes use."""

from pathlib import Path

import torch

from s2mlp_dsl.ir import recipe
from s2mlp_dsl.train.builtin import digits, synthetic
from s2mlp_dsl.train.data import Data
from s2mlp_dsl.train.downloads import packaged
from s2mlp_dsl.train.errors import UsageError
from s2mlp_dsl.train.folder import folder
from s2mlp_dsl.train.job import Job
from s2mlp_dsl.train.subset import on_a_share


def open_data(job: Job, device: torch.device, root: Path | None) -> Data:
    """The recipe's data set, or its share of one, ready for the model.

    `root` is the folder of data that lives in files. Raises UsageError if data
    and model do not fit, EnvironmentFailure if the data is missing.
    """
    data = _whole(job, device, root)
    return on_a_share(data, job.recipe.share, job.recipe.seed)


def _whole(job: Job, device: torch.device, root: Path | None) -> Data:
    chosen = job.recipe.data
    if root is not None and isinstance(chosen, recipe.Digits | recipe.Synthetic):
        raise UsageError(f"the data set {chosen.kind} is built in; it takes no --data")
    match chosen:
        case recipe.Digits():
            return digits(job, device)
        case recipe.Synthetic(images=images):
            return synthetic(job, images, device)
        case recipe.FashionMNIST() | recipe.CIFAR10() | recipe.CIFAR100():
            return packaged(chosen.kind, job, device, root)
        case recipe.ImageNet():
            return folder(job, device, root or Path("data/imagenet"))
        case recipe.Folder(path=path):
            if root is None and path is None:
                raise UsageError(
                    'the data set folder needs a place: folder("DIR") in the recipe, '
                    "or --data DIR"
                )
            return folder(job, device, root or Path(path or ""))
