"""Random horizontal flip."""

from typing import Literal

from pydantic import Field

from s2mlp_dsl.recipe.contracts import (
    Change,
    ImageAugmentation,
    ImageSize,
    Proportion,
    Tensor,
)


class HorizontalFlip(ImageAugmentation):
    """Mirrors the image left to right."""

    kind: Literal["horizontal_flip"] = "horizontal_flip"
    p: Proportion = Field(0.5, description="probability")

    def change(self, image: ImageSize) -> Change:
        return self._flipped

    def _flipped(self, images_BCHW: Tensor, keys: Tensor, seed: int) -> Tensor:
        import torch

        from s2mlp_dsl.data.seeds import uniforms

        flip_B = uniforms(seed, keys.numpy(), 1)[:, 0] < self.p
        if len(flip_B) == 1:  # a worker's: nothing is computed and thrown away
            return images_BCHW.flip(-1) if flip_B[0] else images_BCHW
        flip_B111 = flip_B[:, None, None, None].to(images_BCHW.device)
        return torch.where(flip_B111, images_BCHW.flip(-1), images_BCHW)
