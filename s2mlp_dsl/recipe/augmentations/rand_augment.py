"""RandAugment."""

from typing import Annotated, Literal

from pydantic import Field

from s2mlp_dsl.recipe.contracts import Change, Count, ImageAugmentation, ImageSize


class RandAugment(ImageAugmentation):
    """RandAugment (Cubuk et al. 2020)."""

    kind: Literal["rand_augment"] = "rand_augment"
    magnitude: Annotated[int, Field(ge=0, le=30)] = Field(
        9, description="strength of the operations, of 30"
    )
    num_ops: Count = Field(2, description="operations on an image")

    def change(self, image: ImageSize) -> Change:
        from torchvision.transforms import v2

        from s2mlp_dsl.data.augment import each_image, require_colour_or_grey

        require_colour_or_grey(self.kind, image)
        return each_image(v2.RandAugment(self.num_ops, self.magnitude))
