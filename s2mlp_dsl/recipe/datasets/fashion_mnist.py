"""Fashion-MNIST."""

from pathlib import Path
from typing import Literal

from s2mlp_dsl.recipe.contracts import Arrays, DataSet, ImageSize


class FashionMNIST(DataSet):
    """70,000 articles of clothing, 28×28 grey, ten classes (Xiao et al. 2017)."""

    kind: Literal["fashion_mnist"] = "fashion_mnist"

    def open(self, root: Path, image: ImageSize, classes: int) -> Arrays:
        from torchvision.datasets import FashionMNIST as Reader

        from s2mlp_dsl.data.packaged import read_packaged

        return read_packaged(
            Reader,
            self.kind,
            root,
            "FashionMNIST/raw/train-images-idx3-ubyte and its three siblings",
            "https://github.com/zalandoresearch/fashion-mnist (on Debian also the "
            "package dataset-fashion-mnist), gunzip its four files",
        )
