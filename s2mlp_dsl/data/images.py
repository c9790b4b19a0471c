"""From an image file to a model's input: one reader for `train`, `eval`, `predict`.

The rule, whatever the file's suffix:

- JPEG, PNG, WebP, TIFF, BMP, PPM/PGM and GIF are read; nothing else is tried.
- Of an animation or a file of several pages it is the first image.
- The picture is turned and mirrored as its EXIF orientation says, as viewers show it.
- Bits, greys, palettes, CMYK, YCbCr, Lab and RGB become grey or RGB by Pillow's
  conversion. Colour profiles are ignored.
- Transparency is dropped, as torchvision and timm do: the colours beneath it count. A
  model of 4 channels gets it as the fourth.
- Of 16 bits the high byte counts, for greys as Pillow does for colours (those of a
  PPM it rounds). Integers of 32 bits and floats are refused: what is white in them is
  not known.
- An image that would take more than `BUDGET` bytes is refused before it is decoded.
"""

import math
import stat
import warnings
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as vision

from s2mlp_dsl.data.image_files import shown
from s2mlp_dsl.errors import EnvironmentFailure, UsageError
from s2mlp_dsl.ir.node import Record

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "PPM", "GIF")
# PIL's mode of the picture with that many channels.
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
BUDGET = 1280 * 2**20  # bytes for one decoded image: a photo of 120 megapixels
PICTURE_BYTES = 8  # of a decoded pixel in Pillow, with the converted copy
RESIZED_BYTES = 5  # of a resized value: float32, then uint8
LONGEST = 8  # times as long as the model's aspect; what is longer loses its ends first

Size = tuple[int, int]  # height, width


class Preprocess(Record):
    """How an image becomes an input; kept in the run folder for `predict`.

    `fit = crop` resizes the image, keeping its aspect, until it covers `resize`, which
    is 256/224 of the model's height and width, and takes the centre crop. So an image
    of the model's aspect keeps 224/256 of both its sides. One that is over 8 times as
    long first loses its ends. `stretch` resizes both sides to the model's. Then values
    in [0, 1] are normalised by each channel's mean and standard deviation. `image` is
    (channels, height, width).
    """

    image: tuple[int, int, int]
    fit: Literal["crop", "stretch"]
    resize: Size | None = None
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def normalise(self, images_BCHW: Tensor, in_place: bool = False) -> Tensor:
        """Values in [0, 1] → float32 of about zero mean and unit variance."""
        mean_C11 = images_BCHW.new_tensor(self.mean)[:, None, None]
        std_C11 = images_BCHW.new_tensor(self.std)[:, None, None]
        subtract = images_BCHW.sub_ if in_place else images_BCHW.sub
        return subtract(mean_C11).div_(std_C11)

    def summary(self) -> str:
        """How images are brought to the model's size, in a line."""
        height, width = self.image[1:]
        if self.fit == "stretch":
            return f"stretched to {height}×{width}"
        rows, columns = self.resize or cover([height, width])
        return (
            f"resized to cover {rows}×{columns}, keeping their aspect; the centre "
            f"{height}×{width} is used"
        )

    def fitted(self, image_CHW: Tensor) -> Tensor:
        """A uint8 image of any size → one of the model's size."""
        _, *model = self.image
        if self.fit == "stretch":
            return resized(image_CHW, model)
        least = self.resize or cover(model)
        image_CHW = _shortened(image_CHW, least)
        resized_CHW = resized(image_CHW, _covering(image_CHW, least))
        cropped: Tensor = vision.center_crop(resized_CHW, model)
        return cropped

    def from_file(self, path: Path) -> Tensor:
        """An image file → a normalised input, float32 [channels, height, width]."""
        image_CHW = self.fitted(read_image(path, self.image[0]))
        return self.normalise(to_unit(image_CHW))


def cover(model: list[int]) -> Size:
    """256/224 of a model's height and width."""
    return round(model[0] * 256 / 224), round(model[1] * 256 / 224)


def _shortened(image_CHW: Tensor, least: Size) -> Tensor:
    """The middle of an image that is very much longer than `least` is in its aspect.

    Resized as a whole, it could take gigabytes.
    """
    height, width = image_CHW.shape[-2:]
    most_height = math.ceil(LONGEST * width * least[0] / least[1])
    most_width = math.ceil(LONGEST * height * least[1] / least[0])
    if height <= most_height and width <= most_width:
        return image_CHW
    # As even or odd as before, so that the middle stays the middle.
    kept = [
        size if size <= most else most + (size - most) % 2
        for size, most in ((height, most_height), (width, most_width))
    ]
    cropped: Tensor = vision.center_crop(image_CHW, kept)
    return cropped


def _covering(image_CHW: Tensor, least: Size) -> list[int]:
    """The least size with the image's aspect, in whole pixels, that covers `least`."""
    height, width = image_CHW.shape[-2:]
    if height * least[1] <= width * least[0]:
        return [least[0], max(least[1], least[0] * width // height)]
    return [max(least[0], least[1] * height // width), least[1]]


def resized(images: Tensor, size: list[int]) -> Tensor:
    """Images [..., H, W] resized to a height and width, bicubic."""
    result: Tensor = vision.resize(
        images, size, InterpolationMode.BICUBIC, antialias=True
    )
    return result


def to_unit(images: Tensor, white: int = 255) -> Tensor:
    """uint8 with a given value of white → float32 in [0, 1]; floats are unchanged."""
    return images if images.is_floating_point() else images.float().div_(white)


def read_image(path: Path, channels: int) -> Tensor:
    """Decode a file to uint8 [channels, height, width], by the rule of this module.

    Raises EnvironmentFailure naming the file if it cannot be read or decoded, or is too
    large.
    """
    if channels not in MODES:
        raise UsageError(f"image files have 1, 3 or 4 channels, not {channels}")
    try:
        # Of half-damaged metadata and of large images Pillow warns on stderr.
        with (
            warnings.catch_warnings(action="ignore"),
            _opened(path) as file,
            Image.open(file, formats=FORMATS) as image,
        ):
            _require_readable(image, channels)
            picture = _with_8_bits(ImageOps.exif_transpose(image))
            if picture.mode == "LAB":  # which Pillow converts to colours alone
                picture = picture.convert("RGB")
            if picture.mode != MODES[channels]:
                picture = picture.convert(MODES[channels])
            pixels: Tensor = vision.pil_to_tensor(picture)
    except Exception as error:  # of damaged files Pillow raises any kind
        reason = error.strerror if isinstance(error, OSError) else None
        if isinstance(error, UnidentifiedImageError):
            reason = "cannot identify it as " + ", ".join(FORMATS)
        raise EnvironmentFailure(
            f"cannot read the image {shown(path)}: "
            f"{reason or str(error) or type(error).__name__}"
        ) from error
    return pixels.to(torch.uint8)


def _opened(path: Path) -> BinaryIO:
    """Not of a pipe, which could be waited for without an end, nor of a device."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise ValueError("it is not a file")
    return path.open("rb")


def _require_readable(image: Image.Image, channels: int) -> None:
    """Raise ValueError for an image that is not to be decoded."""
    deep_grey = image.mode == "I" and image.format in ("PNG", "PPM")  # of 16 bits
    if image.mode in ("I", "F") and not deep_grey:
        # Converting would clip the values at 255.
        raise ValueError("more than 16 bits per channel are not supported")
    memory = image.width * image.height * (PICTURE_BYTES + channels)
    if memory > BUDGET:
        raise ValueError(
            f"{image.width:,} × {image.height:,} pixels need {memory / 2**20:,.0f} MiB "
            f"of memory; at most {BUDGET / 2**20:,.0f} MiB are used for an image"
        )


def _with_8_bits(picture: Image.Image) -> Image.Image:
    """The high byte of 16-bit greys; other pictures as they are."""
    if not picture.mode.startswith("I"):
        return picture
    return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
