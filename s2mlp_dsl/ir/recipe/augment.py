"""Random changes of training images."""

from typing import Annotated, Literal

from pydantic import Field

from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.ir.recipe.numbers import Count, Positive, Share


class Translate(Record):
    """Moves the image by up to `pixels` in each direction, filling with zero."""

    kind: Literal["translate"] = "translate"
    pixels: Count = 1


class Flip(Record):
    """Mirrors the image left to right with probability `p`."""

    kind: Literal["flip"] = "flip"
    p: Share = 0.5


class RandomResizedCrop(Record):
    """A random crop of area share at least `scale`, resized to the input."""

    kind: Literal["random_resized_crop"] = "random_resized_crop"
    scale: Share = 0.08


class RandAugment(Record):
    """RandAugment (Cubuk et al. 2020): `ops` operations of one magnitude."""

    kind: Literal["rand_augment"] = "rand_augment"
    magnitude: Annotated[int, Field(ge=0, le=30)] = 9
    ops: Count = 2


class ColorJitter(Record):
    """Brightness, contrast and saturation, each by up to `amount`."""

    kind: Literal["color_jitter"] = "color_jitter"
    amount: Share = 0.3


class Erasing(Record):
    """Random erasing (Zhong et al. 2020) with probability `p`."""

    kind: Literal["erasing"] = "erasing"
    p: Share = 0.25


class Mixup(Record):
    """mixup (Zhang et al. 2018) of the batch, Beta(alpha, alpha)."""

    kind: Literal["mixup"] = "mixup"
    alpha: Positive = 0.8


class CutMix(Record):
    """CutMix (Yun et al. 2019) of the batch. With mixup, either one at random."""

    kind: Literal["cutmix"] = "cutmix"
    alpha: Positive = 1.0


Augmentation = Annotated[
    Translate
    | Flip
    | RandomResizedCrop
    | RandAugment
    | ColorJitter
    | Erasing
    | Mixup
    | CutMix,
    Field(discriminator="kind"),
]
