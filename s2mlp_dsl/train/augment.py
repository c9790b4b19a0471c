"""The random changes of single images.

Each draws from (seed, epoch, sample, copy) and nothing else, so an image looks
the same in a resumed run, in any worker and in any batch. Changes apply in the
recipe's order to values in [0, 1]; erasing comes after the normalisation,
where its noise has the variance of an image.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.transforms import InterpolationMode, v2

from s2mlp_dsl.ir import recipe
from s2mlp_dsl.train.errors import UsageError
from s2mlp_dsl.train.images import Preprocess, to_unit
from s2mlp_dsl.train.seeds import derive, uniforms

# images [B, C, H, W], what each draws [B] on the CPU, a seed → images
Change = Callable[[Tensor, Tensor, int], Tensor]


@dataclass(frozen=True)
class Augment:
    """The recipe's changes of single images, then the normalisation."""

    preprocess: Preprocess
    before: tuple[Change, ...] = ()
    after: tuple[Change, ...] = ()
    crops: bool = False  # changes the size itself, so images come as they are
    seed: int = 0

    def __call__(self, images_BCHW: Tensor, draws: Tensor, epoch: int) -> Tensor:
        """uint8, or floats in [0, 1], → normalised float32 [B, C, H, W].

        `draws`, int64 [B], is a number for each sample and copy of it.
        """
        return self.finished(self.changed(images_BCHW, draws, epoch), draws, epoch)

    def changed(self, images_BCHW: Tensor, draws: Tensor, epoch: int) -> Tensor:
        """The first half, up to the normalisation: uint8 stays uint8."""
        return self._apply(self.before, 0, images_BCHW, draws, epoch)

    def finished(self, images_BCHW: Tensor, draws: Tensor, epoch: int) -> Tensor:
        """The second half, where the model computes: normalisation and erasing."""
        unit_BCHW = to_unit(images_BCHW)
        own = unit_BCHW is not images_BCHW  # floats are the caller's
        normal_BCHW = self.preprocess.normalise(unit_BCHW, in_place=own)
        return self._apply(self.after, len(self.before), normal_BCHW, draws, epoch)

    def _apply(
        self,
        changes: tuple[Change, ...],
        first: int,
        images_BCHW: Tensor,
        draws: Tensor,
        epoch: int,
    ) -> Tensor:
        """Changes in their order, the first of which is number `first` of all.

        torchvision draws from torch's global CPU generator, which is lent and
        given back.
        """
        if not changes:
            return images_BCHW
        with torch.random.fork_rng(devices=[]):
            for place, change in enumerate(changes, first):
                seed = derive("augment", self.seed, epoch, place)
                images_BCHW = change(images_BCHW, draws, seed)
        return images_BCHW


def augmentation(chosen: recipe.Recipe, preprocess: Preprocess) -> Augment:
    """What the recipe asks for, for images of the model's size.

    mixup and cutmix concern whole batches and are not among it. Raises
    UsageError for what cannot be done to images of this size.
    """
    channels, height, width = preprocess.image
    before: list[Change] = []
    after: list[Change] = []
    crops = False
    for entry in chosen.augment:
        match entry:
            case recipe.Translate(pixels=pixels):
                if pixels >= min(height, width):
                    raise UsageError(
                        f"translate({pixels}) can move a {height}×{width} image "
                        "out of sight"
                    )
                before.append(_translate(pixels))
            case recipe.Flip(p=p):
                before.append(_flip(p))
            case recipe.RandomResizedCrop(scale=scale):
                crops = True
                before.append(_crop(scale, (height, width)))
            case recipe.RandAugment(magnitude=magnitude, ops=ops):
                _need_colours(entry.kind, channels)
                before.append(_each(v2.RandAugment(ops, magnitude)))
            case recipe.ColorJitter(amount=a):
                _need_colours(entry.kind, channels)
                before.append(_each(v2.ColorJitter(a, a, a)))
            case recipe.Erasing(p=p):
                # What comes out of the normalisation belongs to nobody else.
                erase = v2.RandomErasing(p, value="random", inplace=True)
                after.append(_each(erase, in_place=True))
            case recipe.Mixup() | recipe.CutMix():
                pass  # of the batch, see mix.py
    return Augment(preprocess, tuple(before), tuple(after), crops, chosen.seed)


def _need_colours(name: str, channels: int) -> None:
    if channels not in (1, 3):
        raise UsageError(f"{name} needs images of 1 or 3 channels, not {channels}")


def _translate(pixels: int) -> Change:
    def change(images_BCHW: Tensor, draws: Tensor, seed: int) -> Tensor:
        *_, height, width = images_BCHW.shape
        shares = uniforms(seed, draws.numpy(), 2) * (2 * pixels + 1)
        corner = shares.floor().long().to(images_BCHW.device)
        rows_BH = corner[:, :1] + torch.arange(height, device=corner.device)
        columns_BW = corner[:, 1:] + torch.arange(width, device=corner.device)
        padded = F.pad(images_BCHW, (pixels,) * 4)
        batch = torch.arange(len(images_BCHW), device=corner.device)
        channel = torch.arange(images_BCHW.shape[1], device=corner.device)
        return padded[
            batch[:, None, None, None],
            channel[None, :, None, None],
            rows_BH[:, None, :, None],
            columns_BW[:, None, None, :],
        ]

    return change


def _flip(p: float) -> Change:
    def change(images_BCHW: Tensor, draws: Tensor, seed: int) -> Tensor:
        flipped_B = uniforms(seed, draws.numpy(), 1)[:, 0] < p
        if len(flipped_B) == 1:  # a worker's: nothing is computed and thrown away
            return images_BCHW.flip(-1) if flipped_B[0] else images_BCHW
        flipped_B111 = flipped_B[:, None, None, None].to(images_BCHW.device)
        return torch.where(flipped_B111, images_BCHW.flip(-1), images_BCHW)

    return change


def _crop(scale: float, size: tuple[int, int]) -> Change:
    cut = v2.RandomResizedCrop(
        size, (scale, 1.0), interpolation=InterpolationMode.BICUBIC, antialias=True
    )
    # Bicubic overshoots at edges; torchvision clamps integers only.
    return _each(lambda image: _clamped(cut(image)))


def _clamped(image: Tensor) -> Tensor:
    return image.clamp(0, 1) if image.is_floating_point() else image


def _each(transform: Callable[[Tensor], Any], in_place: bool = False) -> Change:
    """A torchvision transform, image by image, each under its own seed.

    With `in_place` it writes into the images, which must be the batch's own. The
    seeds are set in torch's global CPU generator: see `Augment`.
    """

    def change(images_BCHW: Tensor, draws: Tensor, seed: int) -> Tensor:
        changed = []
        for image_CHW, sample in zip(images_BCHW, draws.tolist(), strict=True):
            torch.default_generator.manual_seed(derive("sample", seed, sample))
            changed.append(transform(image_CHW))
        if in_place:
            return images_BCHW
        return changed[0][None] if len(changed) == 1 else torch.stack(changed)

    return change
