"""Odd image files, drawn from a seed, and an independent reading of them."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.random import Generator
from PIL import Image

MODES = {
    "png": ("1", "L", "P", "LA", "PA", "RGB", "RGBA", "I;16"),
    "gif": ("P", "L"),
    "jpg": ("L", "RGB", "CMYK"),
    "jpeg": ("L", "RGB"),
    "webp": ("RGB", "RGBA"),
    "tif": ("1", "L", "P", "RGB", "RGBA", "CMYK"),
    "tiff": ("L", "RGB", "YCbCr", "I;16"),
    "bmp": ("1", "L", "P", "RGB"),
    "ppm": ("RGB",),
    "pgm": ("L", "I;16"),
}
STEMS = ("im", "a b", "ünï", "日本", "100%", "$(x)", "caf\udce9", "-x", "im.jpg", "'q'")
ORIENTED = ("png", "jpg", "jpeg", "webp", "tif", "tiff")


def draw_readable(folder: Path, number: int, draw: Generator) -> Path:
    """A file that must be used: any format, mode, size, orientation and name."""
    suffix = str(draw.choice(list(MODES)))
    mode = str(draw.choice(MODES[suffix]))
    sizes = ((1, 1), (1, 40), (57, 3), (16, 16), (8, 8), (33, 20), (200, 11))
    height, width = sizes[draw.integers(len(sizes))]
    image = picture(draw, mode, height, width)
    options: dict[str, object] = {}
    if suffix in ORIENTED and draw.random() < 0.5:
        exif = Image.Exif()
        exif[0x0112] = int(draw.integers(0, 10))  # 0 and 9 mean nothing
        options["exif"] = exif
    if suffix == "png" and mode == "P":
        options["transparency"] = bytes(range(200))
    if suffix in ("png", "webp", "tif") and draw.random() < 0.2:
        more = [picture(draw, mode, height, width) for _ in range(2)]
        options |= {"save_all": True, "append_images": more}
    if draw.random() < 0.3:
        suffix = suffix.upper()
    stem = STEMS[draw.integers(len(STEMS))]
    path = folder / f"{stem}{number}.{suffix}"
    image.save(os.fsencode(path), format=_format(suffix), **options)
    if draw.random() < 0.15:
        target = folder.parents[2] / f"target{number}"
        path.rename(target)
        path.symlink_to(target)
    return path


def _format(suffix: str) -> str:
    names = {"jpg": "JPEG", "tif": "TIFF", "pgm": "PPM"}
    return names.get(suffix.lower(), suffix.upper())


def picture(draw: Generator, mode: str, height: int, width: int) -> Image.Image:
    if mode == "I;16":
        deep = draw.integers(0, 2**16, (height, width)).astype(np.uint16)
        return Image.fromarray(deep)
    noise = draw.integers(0, 256, (height, width, 4), dtype=np.uint8)
    image = Image.fromarray(noise)
    if mode == "PA":
        return image.convert("RGB").convert("P").convert("PA").convert("LA")
    if mode == "P":
        return image.convert("RGB").convert("P")
    if mode in ("CMYK", "YCbCr"):
        return image.convert("RGB").convert(mode)
    return image.convert(mode)


def _text(path: Path, draw: Generator) -> None:
    path.write_text("not an image")


def _empty(path: Path, draw: Generator) -> None:
    path.write_bytes(b"")


def _cut(path: Path, draw: Generator) -> None:
    picture(draw, "RGB", 30, 30).save(path, format="PNG")
    path.write_bytes(path.read_bytes()[:200])


def _postscript(path: Path, draw: Generator) -> None:
    picture(draw, "RGB", 30, 30).save(path, format="EPS")


def _deep(path: Path, draw: Generator) -> None:
    pixels = draw.integers(0, 2**31, (9, 9)).astype(np.int32)
    Image.fromarray(pixels).save(path, format="TIFF")


def _floats(path: Path, draw: Generator) -> None:
    Image.fromarray(draw.random((9, 9), np.float32)).save(path, format="TIFF")


def _thin(path: Path, draw: Generator) -> None:
    height, width = [(1, 60_000_000), (60_000_000, 1)][draw.integers(2)]
    # The header of a bitmap suffices: it must not be decoded.
    header = b"BM" + bytes(8) + (54).to_bytes(4, "little") + (40).to_bytes(4, "little")
    size = width.to_bytes(4, "little") + height.to_bytes(4, "little")
    path.write_bytes(header + size + bytes([1, 0, 24, 0]) + bytes(24))


def _dangling(path: Path, draw: Generator) -> None:
    path.symlink_to("nowhere")


UNREADABLE: tuple[Callable[[Path, Generator], None], ...] = (
    _text,
    _empty,
    _cut,
    _postscript,
    _deep,
    _floats,
    _thin,
    _dangling,
)


def draw_unreadable(folder: Path, number: int, draw: Generator) -> Path:
    """A file with an image's suffix that must be named as unreadable."""
    path = folder / f"bad{number}.{draw.choice(['png', 'JPG', 'tiff'])}"
    UNREADABLE[draw.integers(len(UNREADABLE))](path, draw)
    return path


def draw_left_out(folder: Path, number: int, draw: Generator) -> Path:
    """A file or folder that must be left out and counted."""
    kind = draw.integers(6)
    names = ("._im{}.png", ".hidden{}", "notes{}.txt", "pipe{}.png", "up{}", ".x{}.jpg")
    path = folder / names[kind].format(number)
    if kind == 1:
        path.mkdir()
        picture(draw, "RGB", 9, 9).save(path / "im.png")
    elif kind == 3:
        os.mkfifo(path)
    elif kind == 4:
        path.symlink_to(folder)
    else:
        path.write_bytes(b"\0\5\x16\7")
    return path


def read_with_pillow(path: Path, channels: int) -> np.ndarray:
    """The first image, upright, uint8 [height, width, channels]."""
    with Image.open(os.fsencode(path)) as image:
        image.load()  # which turns a TIFF, and forgets its orientation
        orientation = image.getexif().get(0x0112)
        mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
        if image.mode.startswith("I"):  # the high byte, which Pillow would clip
            pixels = np.asarray(image) // 256
            image = Image.fromarray(pixels.astype(np.uint8))
        pixels = np.asarray(image.convert(mode)).reshape(
            image.height, image.width, channels
        )
    turns: dict[object, Callable[[np.ndarray], np.ndarray]] = {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: a[::-1].swapaxes(0, 1),
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: a[:, ::-1].swapaxes(0, 1),
    }
    return turns.get(orientation, lambda a: a)(pixels)
