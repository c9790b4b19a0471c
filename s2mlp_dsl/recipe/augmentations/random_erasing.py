"""Random erasing."""

from typing import ClassVar, Literal

from pydantic import Field

from s2mlp_dsl.recipe.contracts import Change, ImageAugmentation, ImageSize, Proportion


class RandomErasing(ImageAugmentation):
    """Random erasing (Zhong et al. 2020) with noise of an image's variance."""

    kind: Literal["random_erasing"] = "random_erasing"
    normalised: ClassVar[bool] = True
    p: Proportion = Field(0.25, description="probability")

    def change(self, image: ImageSize) -> Change:
        from torchvision.transforms import v2

        from s2mlp_dsl.data.augment import each_image

        # The normalisation has made a copy, which may be written into.
        erase = v2.RandomErasing(self.p, value="random", inplace=True)
        return each_image(erase, in_place=True)
