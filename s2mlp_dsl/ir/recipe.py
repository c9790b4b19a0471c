"""A training recipe, checked by pydantic and independent of any model.

Field names are what a spec writes: `optimizer = adamw(lr = 2e-3)` becomes
`AdamW(lr=0.002)`. Positional arguments follow the order of the fields.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from s2mlp_dsl.ir.node import Record

# Infinity is above zero too, but no number to train with.
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Decay = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


class Digits(Record):
    """scikit-learn's handwritten digits: 1,797 real images of 8×8, ten classes."""

    kind: Literal["digits"] = "digits"


class Synthetic(Record):
    """Random images of the model's own input size, for dry runs and speed.

    At most 1,024 different ones are made; more repeat them in order.
    """

    kind: Literal["synthetic"] = "synthetic"
    images: Count = 1024


class ImageNet(Record):
    """A folder with `train/CLASS/*` and `val/CLASS/*`, given by `--data`."""

    kind: Literal["imagenet"] = "imagenet"


Data = Annotated[Digits | Synthetic | ImageNet, Field(discriminator="kind")]


class AdamW(Record):
    """AdamW (Loshchilov and Hutter 2019). No decay on norms and biases."""

    kind: Literal["adamw"] = "adamw"
    lr: Positive = 1e-3
    weight_decay: NotNegative = 0.05
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    eps: Positive = 1e-8


class Cosine(Record):
    """Linear warm-up from `start` over `warmup` epochs, then cosine to `floor`."""

    kind: Literal["cosine"] = "cosine"
    warmup: NotNegative = 0
    floor: NotNegative = 0.0
    start: NotNegative = 1e-6


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


# What a spec may call in a recipe, by the word it writes.
KINDS: dict[str, type[Record]] = {
    kind.model_fields["kind"].default: kind
    for kind in (
        Digits,
        Synthetic,
        ImageNet,
        AdamW,
        Cosine,
        Translate,
        Flip,
        RandomResizedCrop,
        RandAugment,
        ColorJitter,
        Erasing,
        Mixup,
        CutMix,
    )
}


class Recipe(Record):
    """Everything a run needs besides the model.

    `batch` is the number of images in an optimizer step; the last, shorter
    batch of a training epoch is dropped. `precision` `auto` is bf16 autocast
    on a GPU that has it and fp32 elsewhere. `workers` processes decode image
    folders; data held in memory needs none, and no result depends on them.
    """

    data: Data
    epochs: Count
    batch: Count
    optimizer: AdamW = AdamW()
    schedule: Cosine = Cosine()
    augment: tuple[Augmentation, ...] = ()
    smoothing: Share = 0.0
    clip: Positive | None = None
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    workers: Annotated[int, Field(ge=0, le=256)] = 2
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0

    def settings(self) -> dict[str, Any]:
        """The resolved recipe as plain data, for run folders and messages."""
        return self.model_dump(mode="json")
