"""stripes: images that are drawn, so that nothing has to be downloaded."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from s2mlp_dsl.recipe.contracts import Arrays, Count, DataSet, ImageSize


class Stripes(DataSet):
    """Vertical stripes, in the first class of one pixel, in the next of two, …"""

    api: ClassVar[int] = 1
    kind: Literal["stripes"] = "stripes"
    built_in: ClassVar[bool] = True  # needs no `--data`
    images: Count = Field(200, description="training images; a quarter for the test")

    def open(self, root: Path, image: ImageSize, classes: int) -> Arrays:
        import torch

        from s2mlp_dsl.data import memory

        channels, height, width = image
        labels_N = torch.arange(self.images) % classes
        stripe_NW = torch.arange(width) // (labels_N[:, None] + 1) % 2
        pixels_NCHW = (255 * stripe_NW).to(torch.uint8)[:, None, None]
        pixels_NCHW = pixels_NCHW.expand(-1, channels, height, -1).contiguous()
        test = max(1, self.images // 4)
        return memory.Arrays(
            train=(pixels_NCHW, labels_N),
            test=(pixels_NCHW[:test], labels_N[:test]),
            class_names=tuple(f"{one + 1} px" for one in range(classes)),
        )
