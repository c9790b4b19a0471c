"""From an image file to what a model is tested on."""

from pathlib import Path
from typing import Literal

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as vision

from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.train.errors import EnvironmentFailure, UsageError

# PIL's name of the picture with that many channels.
MODES = {1: "L", 3: "RGB", 4: "RGBA"}


class Preprocess(Record):
    """How an image becomes an input; kept in the run folder for `predict`.

    `fit` `crop` resizes the shorter side to 256/224 of the model's and cuts
    out the middle, `stretch` resizes both sides. Then values in [0, 1] are
    normalised by the mean and standard deviation of each channel.
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
        bicubic = InterpolationMode.BICUBIC
        if self.fit == "crop":
            side = [round(max(height, width) * 256 / 224)]
            image_CHW = vision.resize(image_CHW, side, bicubic, antialias=True)
            cropped: Tensor = vision.center_crop(image_CHW, [height, width])
            return cropped
        resized: Tensor = vision.resize(
            image_CHW, [height, width], bicubic, antialias=True
        )
        return resized

    def from_file(self, path: Path) -> Tensor:
        """An image file → a normalised input, float32 [channels, height, width]."""
        image_CHW = self.fitted(read_image(path, self.image[0]))
        return self.normalise(to_unit(image_CHW))


def to_unit(images: Tensor, white: int = 255) -> Tensor:
    """uint8 with a given white → float32 in [0, 1]; floats stay as they are."""
    return images if images.is_floating_point() else images.float().div_(white)


def read_image(path: Path, channels: int) -> Tensor:
    """Decode a file to uint8 [channels, height, width].

    Raises EnvironmentFailure naming the file if it cannot be read or decoded.
    """
    if channels not in MODES:
        raise UsageError(f"no image file has {channels} channels; only 1, 3 or 4")
    try:
        with Image.open(path) as image:
            if image.mode.startswith(("I", "F")):
                # Converting would cut the values off at 255.
                raise ValueError("more than 8 bits per channel are not supported")
            picture = image.convert(MODES[channels])
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise EnvironmentFailure(
            f"cannot read the image {path}: {reason or error}"
        ) from error
    pixels: Tensor = vision.pil_to_tensor(picture)
    return pixels.to(torch.uint8)
