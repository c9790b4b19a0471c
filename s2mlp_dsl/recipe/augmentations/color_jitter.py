"""Colour jitter."""

from typing import Literal

from pydantic import Field

from s2mlp_dsl.recipe.contracts import Change, ImageAugmentation, ImageSize, Proportion


class ColorJitter(ImageAugmentation):
    """Changes brightness, contrast and saturation."""

    kind: Literal["color_jitter"] = "color_jitter"
    amount: Proportion = Field(0.3, description="each by at most this factor")

    def change(self, image: ImageSize) -> Change:
        from torchvision.transforms import v2

        from s2mlp_dsl.data.augment import each_image, require_colour_or_grey

        require_colour_or_grey(self.kind, image)
        return each_image(v2.ColorJitter(self.amount, self.amount, self.amount))
