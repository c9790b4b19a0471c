"""From an image file to a model's input: one reader for `train`, `eval`, `predict`.

The rule, whatever the file's suffix:

- JPEG, PNG, WebP, TIFF, BMP, PPM/PGM and GIF are read; nothing else is tried.
- Of an animation or a file of several pages it is the first image.
- The picture is turned and mirrored as its EXIF orientation says, as viewers show it.
- Bits, greys, palettes, CMYK, YCbCr and RGB become grey or RGB by Pillow's conversion.
  Colour profiles are ignored.
- Transparency is dropped, as torchvision and timm do: the colours beneath it count. A
  model of 4 channels gets it as the fourth.
- Greys of more than 8 bits are refused: what is white in them is not known.
- An image that would take more than `BUDGET` bytes is refused before it is decoded.
"""

import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Literal

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
# Bytes for one image, decoded and resized: a photo of 120 megapixels.
BUDGET = 1280 * 2**20
PICTURE_BYTES = 8  # of a decoded pixel in Pillow, with the converted copy
RESIZED_BYTES = 5  # of a resized value: float32, then uint8

Size = tuple[int, int]  # height, width


class Preprocess(Record):
    """How an image becomes an input; kept in the run folder for `predict`.

    `fit = crop` resizes the image, keeping its aspect, until it covers `resize`, which
    is 256/224 of the model's height and width, and takes the centre crop. So an image
    of the model's aspect keeps 224/256 of both its sides. `stretch` resizes both sides
    to the model's. Then values in [0, 1] are normalised by each channel's mean and
    standard deviation. `image` is (channels, height, width).
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

    def resized_size(self, size: Size) -> Size:
        """The size to which an image of a given size is resized, before any crop."""
        _, *model = self.image
        if self.fit == "stretch":
            return model[0], model[1]
        (height, width), (least_height, least_width) = size, self.resize or cover(model)
        # Whole numbers, rounded like torchvision's.
        if height * least_width <= width * least_height:
            return least_height, max(least_width, least_height * width // height)
        return max(least_height, least_width * height // width), least_width

    def fitted(self, image_CHW: Tensor) -> Tensor:
        """A uint8 image of any size → one of the model's size."""
        _, *model = self.image
        height, width = image_CHW.shape[-2:]
        image_CHW = resized(image_CHW, list(self.resized_size((height, width))))
        return (
            image_CHW if self.fit == "stretch" else vision.center_crop(image_CHW, model)
        )

    def read(self, path: Path) -> Tensor:
        """An image file → uint8 of the model's size. Raises like `read_image`."""
        return self.fitted(read_image(path, self.image[0], self.resized_size))

    def from_file(self, path: Path) -> Tensor:
        """An image file → a normalised input, float32 [channels, height, width]."""
        return self.normalise(to_unit(self.read(path)))


def cover(model: list[int]) -> Size:
    """256/224 of a model's height and width."""
    return round(model[0] * 256 / 224), round(model[1] * 256 / 224)


def resized(images: Tensor, size: list[int]) -> Tensor:
    """Images [..., H, W] resized to a height and width, bicubic."""
    result: Tensor = vision.resize(
        images, size, InterpolationMode.BICUBIC, antialias=True
    )
    return result


def to_unit(images: Tensor, white: int = 255) -> Tensor:
    """uint8 with a given value of white → float32 in [0, 1]; floats are unchanged."""
    return images if images.is_floating_point() else images.float().div_(white)


def read_image(
    path: Path, channels: int, resized_size: Callable[[Size], Size] | None = None
) -> Tensor:
    """Decode a file to uint8 [channels, height, width], by the rule of this module.

    `resized_size`, if given, is the size that the image will be resized to, which
    counts in the memory budget. Raises EnvironmentFailure naming the file if it cannot
    be read or decoded, or is too large.
    """
    if channels not in MODES:
        raise UsageError(f"image files have 1, 3 or 4 channels, not {channels}")
    try:
        # Of half-damaged metadata and of large images Pillow warns on stderr.
        with (
            warnings.catch_warnings(action="ignore"),
            Image.open(path, formats=FORMATS) as image,
        ):
            _require_readable(image, channels, resized_size)
            picture = ImageOps.exif_transpose(image)
            if picture.mode != MODES[channels]:
                picture = picture.convert(MODES[channels])
            pixels: Tensor = vision.pil_to_tensor(picture)
    except UNREADABLE as error:
        reason = error.strerror if isinstance(error, OSError) else None
        if isinstance(error, UnidentifiedImageError):
            reason = "cannot identify it as " + ", ".join(FORMATS)
        raise EnvironmentFailure(
            f"cannot read the image {shown(path)}: "
            f"{reason or error or type(error).__name__}"
        ) from error
    return pixels.to(torch.uint8)


# What Pillow raises for damaged files, of any kind.
UNREADABLE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    Image.DecompressionBombError,
)


def _require_readable(
    image: Image.Image, channels: int, resized_size: Callable[[Size], Size] | None
) -> None:
    """Raise ValueError for an image that is not to be decoded."""
    if image.mode.startswith(("I", "F")):
        # Converting would clip the values at 255.
        raise ValueError("more than 8 bits per channel are not supported")
    width, height = image.size
    # Of a TIFF Pillow gives the size that it shows.
    on_its_side = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
    turned = on_its_side and image.format != "TIFF"
    size = (width, height) if turned else (height, width)
    memory = width * height * (PICTURE_BYTES + channels)
    needs = f"{width:,} × {height:,} pixels"
    if resized_size is not None:
        new_height, new_width = resized_size(size)
        memory += new_height * new_width * channels * RESIZED_BYTES
        needs += f", resized to {new_width:,} × {new_height:,},"
    if memory > BUDGET:
        raise ValueError(
            f"{needs} need {memory / 2**20:,.0f} MiB of memory; "
            f"at most {BUDGET / 2**20:,.0f} MiB are used for an image"
        )
