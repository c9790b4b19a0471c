"""Any tree of images."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from s2mlp_dsl.recipe.contracts import DataSet, Folders, ImageSize


class Folder(DataSet):
    """Any tree of images, `train/CLASS/*` and `val/CLASS/*`."""

    kind: Literal["folder"] = "folder"
    path: str | None = Field(
        None, description="the folder, from the working directory; else `--data`"
    )

    @property
    def folder(self) -> str | None:
        return self.path

    def open(self, root: Path, image: ImageSize, classes: int) -> Folders:
        from s2mlp_dsl.data import image_folder

        return image_folder.Folders.open(root)
