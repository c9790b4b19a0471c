"""ImageNet-1K."""

from pathlib import Path
from typing import Literal

from s2mlp_dsl.recipe.contracts import DataSet, Folders, ImageSize


class ImageNet(DataSet):
    """ImageNet-1K as `train/CLASS/*` and `val/CLASS/*`."""

    kind: Literal["imagenet"] = "imagenet"

    @property
    def folder(self) -> str:
        return "data/imagenet"

    def open(self, root: Path, image: ImageSize, classes: int) -> Folders:
        from s2mlp_dsl.data import image_folder

        return image_folder.Folders.open(root)
