"""Random resized crop."""

from typing import ClassVar, Literal

from pydantic import Field

from s2mlp_dsl.recipe.contracts import (
    Change,
    ImageAugmentation,
    ImageSize,
    Proportion,
    Tensor,
)


class RandomResizedCrop(ImageAugmentation):
    """Crops a random area and resizes it to the input size.

    The aspect of an area is 3/4 to 4/3 of the input's.
    """

    kind: Literal["random_resized_crop"] = "random_resized_crop"
    crops: ClassVar[bool] = True
    scale: Proportion = Field(0.08, description="least fraction of the image's area")

    def change(self, image: ImageSize) -> Change:
        from torchvision.transforms import InterpolationMode, v2

        from s2mlp_dsl.data.augment import each_image

        aspect = image[2] / image[1]
        crop = v2.RandomResizedCrop(
            image[1:],
            (self.scale, 1.0),
            ratio=(3 / 4 * aspect, 4 / 3 * aspect),
            interpolation=InterpolationMode.BICUBIC,
            antialias=True,
        )

        def cropped(image_CHW: Tensor) -> Tensor:
            # Bicubic overshoots at edges, and torchvision clamps integers only.
            found: Tensor = crop(image_CHW)
            return found.clamp(0, 1) if found.is_floating_point() else found

        return each_image(cropped)
