"""From an image file to a model's input."""

from pathlib import Path
from typing import Literal

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as vision

from s2mlp_dsl.errors import EnvironmentFailure, UsageError
from s2mlp_dsl.ir.node import Record

# PIL's mode of the picture with that many channels.
MODES = {1: "L", 3: "RGB", 4: "RGBA"}


class Preprocess(Record):
    """How an image becomes an input; kept in the run folder for `predict`.

    `fit = crop` resizes the shorter side to 256/224 of the model's and takes the
    centre crop, `stretch` resizes both sides. Then values in [0, 1] are normalised
    by each channel's mean and standard deviation. `image` is (channels, height,
    width).
    """

    image: tuple[int, int, int]
    fit: Literal["crop", "stretch"]
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def normalise(self, images_BCHW: Tensor, in_place: bool = False) -> Tensor:
        """Values in [0, 1] → float32 of about zero mean and unit variance."""
        mean_C11 = images_BCHW.new_tensor(self.mean)[:, None, None]
        std_C11 = images_BCHW.new_tensor(self.std)[:, None, None]
        subtract = images_BCHW.sub_ if in_place else images_BCHW.sub
        return subtract(mean_C11).div_(std_C11)

    def fitted(self, image_CHW: Tensor) -> Tensor:
        """A uint8 image of any size → one of the model's size."""
        _, height, width = self.image
        if self.fit == "stretch":
            return resized(image_CHW, [height, width])
        image_CHW = resized(image_CHW, [round(max(height, width) * 256 / 224)])
        cropped: Tensor = vision.center_crop(image_CHW, [height, width])
        return cropped

    def from_file(self, path: Path) -> Tensor:
        """An image file → a normalised input, float32 [channels, height, width]."""
        image_CHW = self.fitted(read_image(path, self.image[0]))
        return self.normalise(to_unit(image_CHW))


def resized(images: Tensor, size: list[int]) -> Tensor:
    """Images [..., H, W] of another size, bicubic; one number is the shorter side."""
    result: Tensor = vision.resize(
        images, size, InterpolationMode.BICUBIC, antialias=True
    )
    return result


def to_unit(images: Tensor, white: int = 255) -> Tensor:
    """uint8 with a given value of white → float32 in [0, 1]; floats are unchanged."""
    return images if images.is_floating_point() else images.float().div_(white)


def read_image(path: Path, channels: int) -> Tensor:
    """Decode a file to uint8 [channels, height, width].

    Raises EnvironmentFailure naming the file if it cannot be read or decoded.
    """
    if channels not in MODES:
        raise UsageError(f"image files have 1, 3 or 4 channels, not {channels}")
    try:
        with Image.open(path) as image:
            if image.mode.startswith(("I", "F")):
                # Converting would clip the values at 255.
                raise ValueError("more than 8 bits per channel are not supported")
            picture = image.convert(MODES[channels])
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise EnvironmentFailure(
            f"cannot read the image {path}: {reason or error}"
        ) from error
    pixels: Tensor = vision.pil_to_tensor(picture)
    return pixels.to(torch.uint8)
