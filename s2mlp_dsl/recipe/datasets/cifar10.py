"""CIFAR-10."""

from pathlib import Path
from typing import Literal

from s2mlp_dsl.recipe.contracts import Arrays, DataSet, ImageSize


class CIFAR10(DataSet):
    """60,000 colour images, 32×32, ten classes (Krizhevsky 2009)."""

    kind: Literal["cifar10"] = "cifar10"

    def open(self, root: Path, image: ImageSize, classes: int) -> Arrays:
        from torchvision.datasets import CIFAR10 as Reader

        from s2mlp_dsl.data.packaged import CIFAR_SOURCE, read_packaged

        return read_packaged(
            Reader, self.kind, root, "cifar-10-batches-py/", CIFAR_SOURCE
        )
