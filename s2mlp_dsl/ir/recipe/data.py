"""What a recipe may train on. Nothing is ever downloaded."""

from typing import Annotated, Literal

from pydantic import Field

from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.ir.recipe.numbers import Count


class Digits(Record):
    """scikit-learn's handwritten digits: 1,797 real images of 8×8, ten classes."""

    kind: Literal["digits"] = "digits"


class Synthetic(Record):
    """Random images of the model's own input size, for dry runs and speed.

    At most 1,024 different ones are made; more repeat them in order.
    """

    kind: Literal["synthetic"] = "synthetic"
    images: Count = 1024


class FashionMNIST(Record):
    """70,000 articles of clothing, 28×28 grey, ten classes (Xiao et al. 2017)."""

    kind: Literal["fashion_mnist"] = "fashion_mnist"


class CIFAR10(Record):
    """60,000 colour images of 32×32, ten classes (Krizhevsky 2009)."""

    kind: Literal["cifar10"] = "cifar10"


class CIFAR100(Record):
    """60,000 colour images of 32×32, a hundred classes (Krizhevsky 2009)."""

    kind: Literal["cifar100"] = "cifar100"


class ImageNet(Record):
    """ImageNet-1K as `train/CLASS/*` and `val/CLASS/*`, in the folder of `--data`."""

    kind: Literal["imagenet"] = "imagenet"


class Folder(Record):
    """Any tree of images, `train/CLASS/*` and `val/CLASS/*`.

    `path` is the folder, from where the command runs; without it `--data` says.
    """

    kind: Literal["folder"] = "folder"
    path: str | None = None


Data = Annotated[
    Digits | Synthetic | FashionMNIST | CIFAR10 | CIFAR100 | ImageNet | Folder,
    Field(discriminator="kind"),
]
