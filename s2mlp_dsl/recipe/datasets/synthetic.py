"""Random images."""

import math
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from s2mlp_dsl.recipe.contracts import Arrays, Count, DataSet, ImageSize, Tensor

LABEL_BYTES = 32
POOL = 1024  # different images; more repeat them


class Synthetic(DataSet):
    """Random images of the model's input size, for dry runs and speed."""

    kind: Literal["synthetic"] = "synthetic"
    built_in: ClassVar[bool] = True
    images: Count = Field(
        1024,
        description="training images, of which at most 1,024 differ; a quarter as many "
        "are for the test",
    )

    def open(self, root: Path, image: ImageSize, classes: int) -> Arrays:
        """The same in every run."""
        from s2mlp_dsl.data import memory

        # Pixels and labels of both halves, an epoch's order, and copies of them.
        pixels = 2 * min(self.images, POOL) * math.prod(image)
        memory.require_memory(
            pixels + self.images * LABEL_BYTES, f"{self.images:,} synthetic images"
        )
        return memory.Arrays(
            train=_noise("train", self.images, image, classes),
            test=_noise("test", max(1, self.images // 4), image, classes),
            class_names=tuple(str(number) for number in range(classes)),
            mean=(0.5,) * image[0],
            std=(0.29,) * image[0],  # of the uniform distribution: 1 / √12
        )


def _noise(
    half: str, images: int, image: ImageSize, classes: int
) -> tuple[Tensor, Tensor]:
    import torch

    from s2mlp_dsl.data.seeds import derive

    generator = torch.Generator().manual_seed(derive(f"synthetic {half}"))
    shape = (min(images, POOL), *image)
    pixels = torch.randint(256, shape, dtype=torch.uint8, generator=generator)
    return pixels, torch.randint(classes, (images,), generator=generator)
