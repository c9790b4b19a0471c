"""The data of a recipe, opened for a model."""

import math
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torchvision.transforms import v2

from s2mlp_dsl.data.augment import Augment
from s2mlp_dsl.data.batch import Data, Split
from s2mlp_dsl.data.image_files import is_utf8, shown
from s2mlp_dsl.data.image_folder import MEAN, STD, Folders, FolderSplit, Images
from s2mlp_dsl.data.images import RESIZED_BYTES, Preprocess, cover, resized
from s2mlp_dsl.data.memory import Arrays, InMemory, require_memory
from s2mlp_dsl.data.sampler import Sampler
from s2mlp_dsl.data.subset import fraction_of
from s2mlp_dsl.errors import UsageError
from s2mlp_dsl.recipe import Recipe
from s2mlp_dsl.recipe.contracts import BatchAugmentation, ImageAugmentation
from s2mlp_dsl.train.job import Job


def open_data(
    job: Job, device: torch.device, root: Path | None, any_classes: bool = False
) -> Data:
    """The recipe's data set, or its fraction of one, for the job's model.

    `root` is the folder that `--data` names. With `any_classes` the data may have
    another number of classes than the model. Raises UsageError if data and model do
    not fit or memory does not suffice, EnvironmentFailure if files are missing.
    """
    chosen = job.recipe.data
    if chosen.built_in and root is not None:
        raise UsageError(f"the data set {chosen.kind} is built in; it takes no --data")
    given = root or chosen.folder
    if given is None:
        raise UsageError(
            f"the data set {chosen.kind} needs a folder: {chosen.kind}(path) in the "
            "recipe, or --data DIR"
        )
    place = Path(given).absolute()
    if not is_utf8(place):
        raise UsageError(
            f"the name of the data folder {shown(place)} is not UTF-8, so a run cannot "
            "keep it; use a link to the folder"
        )
    found = chosen.open(place, job.image, job.classes)
    if isinstance(found, Folders):
        data = _from_folders(found, job, device, any_classes)
    else:
        kept = None if chosen.built_in else place
        data = _from_arrays(found, job, device, kept, any_classes)
    return fraction_of(data, job.recipe.train_fraction, job.recipe.seed)


def _from_folders(
    found: Folders, job: Job, device: torch.device, any_classes: bool
) -> Data:
    shape = job.image if job.image[0] in (1, 3) else None
    _require_fit(job, found.class_names, shape, any_classes)
    colours = job.image[0] == 3
    preprocess = Preprocess(
        image=job.image,
        fit="crop",
        resize=cover([*job.image[1:]]),
        mean=MEAN if colours else (sum(MEAN) / 3,),
        std=STD if colours else (sum(STD) / 3,),
    )
    recipe = job.recipe
    train, test = (
        FolderSplit(
            Images(files, augment, recipe.corrupt == "skip"), recipe.workers, device
        )
        for files, augment in (
            (found.train, augmentation(recipe, preprocess)),
            (found.test, Augment(preprocess)),
        )
    )
    data = _data(found, train, test, preprocess, found.root)
    return replace(data, left_out=found.left_out)


def _from_arrays(
    found: Arrays,
    job: Job,
    device: torch.device,
    root: Path | None,
    any_classes: bool,
) -> Data:
    channels, *size = found.train[0].shape[1:]
    shape = (channels, *(job.image[1:] if found.resizable else size))
    _require_fit(job, found.class_names, shape, any_classes)
    if size != [*job.image[1:]]:
        halves = (found.train, found.test)
        images = sum(len(pixels) for pixels, _ in halves)
        require_memory(
            images * math.prod(job.image) * RESIZED_BYTES,
            f"{images:,} images resized to {'×'.join(map(str, job.image))}",
        )
        train_half, test_half = (
            (resized(pixels, [*job.image[1:]]), labels) for pixels, labels in halves
        )
        found = replace(found, train=train_half, test=test_half)
    mean, std = found.statistics()
    preprocess = Preprocess(image=job.image, fit="stretch", mean=mean, std=std)
    augment = augmentation(job.recipe, preprocess)
    train = InMemory.on(device, found.train, found.white, augment)
    test = InMemory.on(device, found.test, found.white, Augment(preprocess))
    return _data(found, train, test, preprocess, root)


def _require_fit(
    job: Job,
    class_names: tuple[str, ...],
    shape: tuple[int, ...] | None,
    any_classes: bool,
) -> None:
    """Raise UsageError unless the model takes such images and has those classes."""
    classes_fit = any_classes or len(class_names) == job.classes
    if classes_fit and shape == job.image:
        return
    size = "1- or 3-channel" if shape is None else "×".join(map(str, shape))
    raise UsageError(
        f"{job.recipe.data.kind} has {len(class_names):,} classes of {size} images, "
        f"but the model {job.model_name} has {job.classes:,} classes and takes "
        f"{'×'.join(map(str, job.image))} images"
    )


def _data(
    found: Arrays | Folders,
    train: Split,
    test: Split,
    preprocess: Preprocess,
    root: Path | None,
) -> Data:
    return Data(
        train=train,
        test=test,
        preprocess=preprocess,
        class_names=found.class_names,
        fingerprint=found.fingerprint(),
        train_images=train.images,
        root=root,
    )


def augmentation(recipe: Recipe, preprocess: Preprocess) -> Augment:
    """The recipe's changes of single images, for a model's input size.

    Raises UsageError for what cannot apply to images of this size.
    """
    single = [one for one in recipe.augment if isinstance(one, ImageAugmentation)]
    before = [one for one in single if not one.normalised]
    after = [one for one in single if one.normalised]
    return Augment(
        preprocess,
        before=tuple(one.change(preprocess.image) for one in before),
        after=tuple(one.change(preprocess.image) for one in after),
        crops=any(one.crops for one in single),
        seed=recipe.seed,
    )


class BatchMixer:
    """The recipe's mixup and CutMix; where there are several, one at random.

    Draws from torch's global generators, which are seeded at each step.
    """

    def __init__(self, recipe: Recipe, classes: int) -> None:
        kinds = [one for one in recipe.augment if isinstance(one, BatchAugmentation)]
        for name, count in (("images in a batch", recipe.batch), ("classes", classes)):
            if kinds and count < 2:
                raise UsageError(f"{kinds[0].kind} needs at least 2 {name}")
        transforms = [one.transform(classes) for one in kinds]
        self.pick = v2.RandomChoice(transforms) if transforms else None

    @property
    def mixes(self) -> bool:
        return self.pick is not None

    def __call__(self, images_BCHW: Tensor, labels_B: Tensor) -> tuple[Tensor, Tensor]:
        """Images and labels → images and targets, labels [B] or shares [B, classes]."""
        if self.pick is None:
            return images_BCHW, labels_B
        mixed_BCHW, targets = self.pick(images_BCHW, labels_B)
        return mixed_BCHW, targets


def sampler_of(recipe: Recipe, images: int) -> Sampler:
    """The order of a training set. Raises UsageError if a batch cannot be filled."""
    repeats = recipe.repeated_augmentation
    one_step = Sampler(images, recipe.batch, recipe.steps or 1, recipe.seed, repeats)
    if recipe.epochs is None:
        return one_step
    return replace(one_step, steps=recipe.epochs * one_step.steps_per_epoch)
