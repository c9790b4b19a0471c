"""The augmentation of single images.

Each change draws from (seed, epoch, sample, copy) and nothing else, so an image looks
the same in a resumed run, in any worker and in any batch. Changes apply in the
recipe's order to values in [0, 1]; those of the normalised image come last.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from s2mlp_dsl.data.images import Preprocess, to_unit
from s2mlp_dsl.data.seeds import derive
from s2mlp_dsl.errors import UsageError

# images [B, C, H, W], their keys [B] on the CPU, a seed → images
Change = Callable[[Tensor, Tensor, int], Tensor]


@dataclass(frozen=True)
class Augment:
    """The recipe's changes of single images, with the normalisation in between.

    With `crops` a change brings images to the model's size itself, so it gets them
    as they were decoded.
    """

    preprocess: Preprocess
    before: tuple[Change, ...] = ()
    after: tuple[Change, ...] = ()
    crops: bool = False
    seed: int = 0

    def __call__(self, images_BCHW: Tensor, keys: Tensor, epoch: int) -> Tensor:
        """uint8, or floats in [0, 1], → normalised float32 [B, C, H, W].

        `keys`, int64 [B], is a number for each sample and copy of it.
        """
        return self.finish(self.change(images_BCHW, keys, epoch), keys, epoch)

    def change(self, images_BCHW: Tensor, keys: Tensor, epoch: int) -> Tensor:
        """The first half, up to the normalisation: uint8 stays uint8."""
        return self._apply(self.before, 0, images_BCHW, keys, epoch)

    def finish(self, images_BCHW: Tensor, keys: Tensor, epoch: int) -> Tensor:
        """The second half, on the model's device: the normalisation and the rest."""
        unit_BCHW = to_unit(images_BCHW)
        own = unit_BCHW is not images_BCHW  # floats belong to the caller
        normal_BCHW = self.preprocess.normalise(unit_BCHW, in_place=own)
        return self._apply(self.after, len(self.before), normal_BCHW, keys, epoch)

    def _apply(
        self,
        changes: tuple[Change, ...],
        first: int,
        images_BCHW: Tensor,
        keys: Tensor,
        epoch: int,
    ) -> Tensor:
        """Apply changes in order; the first of them is number `first` of all."""
        if not changes:
            return images_BCHW
        # torchvision draws from torch's global CPU generator.
        with torch.random.fork_rng(devices=[]):
            for number, change in enumerate(changes, first):
                seed = derive("augment", self.seed, epoch, number)
                images_BCHW = change(images_BCHW, keys, seed)
        return images_BCHW


def each_image(transform: Callable[[Tensor], Any], in_place: bool = False) -> Change:
    """A torchvision transform, image by image, each under its own seed.

    With `in_place` it writes into the images, which must be the batch's own. Call it
    where torch's global CPU generator may be reseeded, as in `Augment`.
    """

    def change(images_BCHW: Tensor, keys: Tensor, seed: int) -> Tensor:
        changed = []
        for image_CHW, key in zip(images_BCHW, keys.tolist(), strict=True):
            torch.default_generator.manual_seed(derive("sample", seed, key))
            changed.append(transform(image_CHW))
        if in_place:
            return images_BCHW
        return changed[0][None] if len(changed) == 1 else torch.stack(changed)

    return change


def require_colour_or_grey(name: str, image: tuple[int, int, int]) -> None:
    """Raise UsageError unless images have 1 or 3 channels."""
    if image[0] not in (1, 3):
        raise UsageError(f"{name} needs images of 1 or 3 channels, not {image[0]}")
