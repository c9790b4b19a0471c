"""Random translation."""

from typing import Literal

from pydantic import Field

from s2mlp_dsl.errors import UsageError
from s2mlp_dsl.recipe.contracts import (
    Change,
    Count,
    ImageAugmentation,
    ImageSize,
    Tensor,
)


class Translate(ImageAugmentation):
    """Moves the image by whole pixels, filling with zero."""

    kind: Literal["translate"] = "translate"
    pixels: Count = Field(1, description="at most so many in each direction")

    def change(self, image: ImageSize) -> Change:
        _, height, width = image
        if self.pixels >= min(height, width):
            raise UsageError(
                f"translate({self.pixels}) can move a {height}×{width} image "
                "out of sight"
            )
        return self._moved

    def _moved(self, images_BCHW: Tensor, keys: Tensor, seed: int) -> Tensor:
        import torch
        from torch.nn import functional as F

        from s2mlp_dsl.data.seeds import uniforms

        count, channels, height, width = images_BCHW.shape
        offsets = uniforms(seed, keys.numpy(), 2) * (2 * self.pixels + 1)
        corner_B2 = offsets.floor().long().to(images_BCHW.device)
        device = corner_B2.device
        rows_BH = corner_B2[:, :1] + torch.arange(height, device=device)
        columns_BW = corner_B2[:, 1:] + torch.arange(width, device=device)
        padded = F.pad(images_BCHW, (self.pixels,) * 4)
        return padded[
            torch.arange(count, device=device)[:, None, None, None],
            torch.arange(channels, device=device)[None, :, None, None],
            rows_BH[:, None, :, None],
            columns_BW[:, None, None, :],
        ]
