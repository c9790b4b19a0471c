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
    """Crops a random area of about the input's aspect ratio and resizes it."""

    kind: Literal["random_resized_crop"] = "random_resized_crop"
    crops: ClassVar[bool] = True
    scale: Proportion = Field(0.08, description="least fraction of the image's area")

    def change(self, image: ImageSize) -> Change:
        from torchvision.transforms import InterpolationMode, v2

        from s2mlp_dsl.data.augment import each_image

        _, height, width = image
        crop = v2.RandomResizedCrop(
            (height, width),
            (self.scale, 1.0),
            # torchvision's ratios, of the input's own.
            (3 / 4 * (width / height), 4 / 3 * (width / height)),
            interpolation=InterpolationMode.BICUBIC,
            antialias=True,
        )

        def cropped(image_CHW: Tensor) -> Tensor:
            # Bicubic overshoots at edges, and torchvision clamps integers only.
            found: Tensor = crop(image_CHW)
            return found.clamp(0, 1) if found.is_floating_point() else found

        return each_image(cropped)
