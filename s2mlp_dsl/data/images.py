"""From an image file to a model's input. `train`, `eval` and `predict` all read here.

An image is read upright, as its EXIF orientation says, and as the model's channels:
grey, RGB or RGBA. Palettes, CMYK and others are converted; alpha is dropped where the
model takes none (as torchvision and timm do); the high byte of 16-bit values is used;
of an animation, the first frame.
"""

import math
import os
import warnings
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as vision

from s2mlp_dsl.errors import EnvironmentFailure, UsageError
from s2mlp_dsl.ir.node import Record

# PIL's mode of the picture with that many channels.
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
# What is read, whatever a file is called: EPS, say, would start Ghostscript.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
MOST_PIXELS = 178_956_970  # of a file, as in Pillow
KEPT = 224 / 256  # of a resized image's sides, in the centre crop
LONGEST = 8  # times the model's aspect ratio; what is longer loses its ends


class Preprocess(Record):
    """How an image becomes an input; kept in the run folder for `predict`.

    `fit = crop` keeps the aspect ratio: the image is resized so that it just covers
    256/224 of the model's height and width, and the centre crop is taken. `stretch`
    resizes both sides. Then values in [0, 1] are normalised by each channel's mean and
    standard deviation. `image` is (channels, height, width).
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
        image_CHW, size = self._covering(image_CHW)
        cropped: Tensor = vision.center_crop(resized(image_CHW, size), [height, width])
        return cropped

    def _covering(self, image_CHW: Tensor) -> tuple[Tensor, list[int]]:
        """The image, and the size to which it is resized.

        Of an image that is much longer than the model's input, only the middle is
        used: resized as a whole it could take gigabytes.
        """
        _, height, width = self.image
        tall, wide = round(height / KEPT), round(width / KEPT)
        rows, columns = image_CHW.shape[1:]
        most_rows = math.ceil(LONGEST * columns * tall / wide)
        most_columns = math.ceil(LONGEST * rows * wide / tall)
        if rows > most_rows or columns > most_columns:
            rows, columns = min(rows, most_rows), min(columns, most_columns)
            image_CHW = vision.center_crop(image_CHW, [rows, columns])
        if rows * wide <= columns * tall:
            return image_CHW, [tall, max(wide, tall * columns // rows)]
        return image_CHW, [max(tall, wide * rows // columns), wide]

    def __str__(self) -> str:
        channels, height, width = self.image
        if self.fit == "stretch":
            return f"resized to {height}×{width}, {channels} channels"
        return (
            f"resized to cover {round(height / KEPT)}×{round(width / KEPT)}, then the "
            f"centre crop of {height}×{width}, {channels} channels"
        )

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
        with warnings.catch_warnings(), Image.open(path, formats=FORMATS) as image:
            warnings.simplefilter("ignore")  # of Pillow, about odd but readable files
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(f"it has more than {MOST_PIXELS:,} pixels")
            picture = ImageOps.exif_transpose(_eight_bit(image))
            picture = _converted(picture, MODES[channels])
    except Exception as error:  # decoders raise many kinds, on files that are damaged
        reason = error.strerror if isinstance(error, OSError) else None
        reason = reason or str(error) or type(error).__name__
        raise EnvironmentFailure(
            f"cannot read the image {printable(path)}: {reason}"
        ) from error
    pixels: Tensor = vision.pil_to_tensor(picture)
    return pixels.to(torch.uint8)


def _eight_bit(image: Image.Image) -> Image.Image:
    """The high byte of 16-bit values; other images as they are."""
    is_16_bit = image.mode.startswith("I;16") or (
        image.mode == "I" and image.format in ("PNG", "PPM")
    )
    if is_16_bit:
        bytes_HW = (np.asarray(image) >> 8).astype(np.uint8)
        made = Image.fromarray(bytes_HW)
        made.info = image.info
        return made
    if image.mode in ("I", "F"):
        # Converting would clip the values at 255.
        raise ValueError("more than 16 bits per channel are not supported")
    return image


def _converted(image: Image.Image, mode: str) -> Image.Image:
    if image.mode in ("CMYK", "YCbCr", "LAB", "HSV") and mode != "RGB":
        image = image.convert("RGB")
    return image.convert(mode)


# Suffixes of image files, as in torchvision, and GIF.
SUFFIXES = (
    *(".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff"),
    ".webp",
)
# Folders that systems make beside the user's; hidden ones start with a dot.
_SYSTEM = {"__MACOSX", "$RECYCLE.BIN", "System Volume Information", "@eaDir"}


def is_left_out(name: str) -> bool:
    """Whether a file or folder is hidden or the system's, as `.ipynb_checkpoints`."""
    return name.startswith(".") or name in _SYSTEM


def image_paths(folder: Path) -> tuple[list[tuple[str, int]], int]:
    """Image files below a folder with their sizes in bytes, and how many are left out.

    In the order of their paths. Links are followed, but not around a circle. Hidden
    and system files and folders, and files with other suffixes, are left out. Raises
    OSError.
    """
    found: list[tuple[str, int]] = []
    left_out = 0
    todo: list[tuple[str, tuple[str, ...]]] = [(os.fspath(folder), ())]
    while todo:
        place, around = todo.pop()
        real = os.path.realpath(place)
        if real in around:
            continue
        with os.scandir(place) as entries:
            for entry in entries:
                if is_left_out(entry.name):
                    left_out += 1
                elif entry.is_dir():
                    todo.append((entry.path, (*around, real)))
                elif Path(entry.name).suffix.lower() not in SUFFIXES:
                    left_out += 1
                else:
                    found.append((entry.path, _size(entry)))
    return sorted(found), left_out


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except OSError:  # a broken link: reading it says so
        return 0


def printable(path: Path | str) -> str:
    """A path as text: bytes that are no UTF-8 as `\\xe9`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
