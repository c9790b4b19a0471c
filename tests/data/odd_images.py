"""Odd image files by kind: how each is written, and what must become of it."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import default_rng
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from .odd_bytes import BROKEN, FOREIGN, bitmap, netpbm, png

Write = Callable[[Path], object]
COLOURS, TRANSPARENT = 7, bytes(range(0, 210, 30))
ORIENTED = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP", "tif": "TIFF"}
FORMATS = {**ORIENTED, "gif": "GIF", "bmp": "BMP", "ppm": "PPM"}


class Fate(Enum):
    """What becomes of a file."""

    USED = auto()
    NAMED = auto()  # as unreadable
    COUNTED = auto()  # as left out


@dataclass(frozen=True)
class Odd:
    """A file or folder, and what must become of it.

    `why` is a part of the reason. `pixels`, uint8 [height, width, 3], is what must be
    seen of it where that can be said without a decoder.
    """

    name: str
    write: Write
    fate: Fate = Fate.USED
    why: str = ""
    pixels: np.ndarray | None = None


def noise(mode: str, height: int = 9, width: int = 7) -> Image.Image:
    """A picture of a mode in random colours, the same for the same arguments."""
    draw = default_rng([height, width])
    if mode.startswith("I;16"):
        deep = draw.integers(0, 2**16, (height, width)).astype("<u2")
        if mode == "I;16":
            return Image.fromarray(deep)
        return Image.frombytes(mode, (width, height), deep.astype(">u2").tobytes())
    if mode == "I":
        whole = draw.integers(0, 2**31, (height, width)).astype(np.int32)
        return Image.fromarray(whole)
    if mode == "F":
        return Image.fromarray(draw.random((height, width), np.float32))
    image = Image.fromarray(draw.integers(0, 256, (height, width, 4), dtype=np.uint8))
    if mode in ("P", "PA"):
        image = Image.fromarray(draw.integers(0, COLOURS, (height, width), np.uint8))
        image = image.convert("P")
        image.putpalette(draw.integers(0, 256, 3 * COLOURS).astype(np.uint8).tobytes())
        return image.convert(mode)
    if mode in ("CMYK", "YCbCr", "1", "L"):
        return image.convert("RGB").convert(mode)
    if mode == "LAB":
        return Image.frombytes("LAB", (width, height), image.convert("RGB").tobytes())
    return image.convert(mode)


def seen(image: Image.Image) -> np.ndarray | None:
    """The colours of a picture by the product's rule, computed from its values."""
    values = np.asarray(image)
    match image.mode:
        case "1":
            grey = values.astype(np.uint8) * 255
        case "L":
            grey = values
        case "LA":
            grey = values[..., 0]
        case "I;16":
            grey = (values // 256).astype(np.uint8)
        case "RGB" | "RGBA":
            return values[..., :3]
        case "P":
            palette = np.array(image.getpalette(), np.uint8).reshape(-1, 3)
            return palette[values]
        case _:
            return None
    return np.repeat(grey[..., None], 3, axis=2)


def put(data: bytes) -> Write:
    """Writes bytes."""
    return lambda path: path.write_bytes(data)


def saved(image: Image.Image, format: str, **options: Any) -> Write:
    """Writes a picture; its name need not be UTF-8 or have the format's suffix."""
    file = io.BytesIO()
    image.save(file, format, **options)
    return put(file.getvalue())


def encoded(suffix: str) -> bytes:
    """A picture of 30 × 30 as a file of the format."""
    file = io.BytesIO()
    noise("RGB", 30, 30).save(file, FORMATS[suffix])
    return file.getvalue()


def modes() -> Iterator[Odd]:
    """Every mode that each format can have, in three sizes."""
    lossless: dict[str, Any] = {"lossless": True, "exact": True}
    kinds: list[tuple[str, str, dict[str, Any]]] = [
        *(("png", one, {}) for one in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
        *(("bmp", one, {}) for one in ("1", "L", "P", "RGB", "RGBA")),
        *(("ppm", one, {}) for one in ("1", "L", "RGB")),
        *(("gif", one, {}) for one in ("1", "L", "P")),
        *(("webp", one, lossless) for one in ("L", "RGB", "RGBA")),
        *(("tif", one, {}) for one in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
        *(("tif", one, {}) for one in ("PA", "CMYK", "YCbCr", "I;16B")),
        *(("jpg", one, {}) for one in ("1", "L", "RGB", "CMYK", "YCbCr")),
        *(("webp", one, {}) for one in ("L", "P", "RGB", "RGBA")),
        ("png", "P", {"transparency": TRANSPARENT}),
        ("png", "P", {"transparency": 3}),
        ("png", "L", {"transparency": 9}),
        ("png", "RGB", {"transparency": (1, 2, 3)}),
        ("gif", "P", {"transparency": 3}),
        ("gif", "P", {"interlace": 1}),
        *(("tif", one, {"compression": "tiff_lzw"}) for one in ("L", "P", "RGBA")),
        ("tif", "RGB", {"compression": "tiff_adobe_deflate"}),
        ("tif", "RGB", {"compression": "packbits"}),
        ("tif", "RGB", {"compression": "jpeg"}),
        ("tif", "1", {"compression": "group4"}),
        ("jpg", "RGB", {"progressive": True, "subsampling": 0}),
        (
            "jpg",
            "RGB",
            {"icc_profile": _profile(), "comment": b"\x1b[31m", "dpi": (9, 1)},
        ),
        ("png", "RGB", {"icc_profile": _profile(), "compress_level": 0}),
    ]
    for number, (suffix, mode, options) in enumerate(kinds):
        lossy = suffix == "jpg" or "jpeg" in options.values()
        lossy |= suffix == "webp" and "lossless" not in options
        for height, width in ((9, 7), (1, 1), (2, 40)):
            image = noise(mode, height, width)
            yield Odd(
                f"mode-{number}-{height}.{suffix}",
                saved(image, FORMATS[suffix], **options),
                pixels=None if lossy else seen(image),
            )


def _profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def upright(a: np.ndarray, orientation: int) -> np.ndarray:
    """Rows and columns as EXIF says: where row 0 and column 0 are."""
    match orientation:
        case 2:
            return a[:, ::-1]
        case 3:
            return a[::-1, ::-1]
        case 4:
            return a[::-1]
        case 5:
            return a.swapaxes(0, 1)
        case 6:
            return a[::-1].swapaxes(0, 1)
        case 7:
            return a[::-1, ::-1].swapaxes(0, 1)
        case 8:
            return a[:, ::-1].swapaxes(0, 1)
    return a


def orientations() -> Iterator[Odd]:
    """Each of the eight, two that mean nothing, and metadata that is damaged."""
    image = noise("RGB", 16, 24)
    for suffix, format in ORIENTED.items():
        exact: dict[str, Any] = {"lossless": True} if suffix == "webp" else {}
        for orientation in range(10):
            exif = Image.Exif()
            exif[0x0112] = orientation
            yield Odd(
                f"turned-{orientation}.{suffix}",
                saved(image, format, exif=exif, **exact),
                pixels=None if suffix == "jpg" else upright(seen(image), orientation),
            )
        if suffix != "tif":
            junk = b"Exif\0\0MM\0*\xff\xff\xff\xff junk"
            yield Odd(f"junk.{suffix}", saved(image, format, exif=junk, **exact))
    xmp = PngInfo()
    xmp.add_itxt("XML:com.adobe.xmp", '<x tiff:Orientation="6"/>')
    write = saved(image, "PNG", pnginfo=xmp)
    yield Odd("xmp.png", write, pixels=upright(seen(image), 6))


def several() -> Iterator[Odd]:
    """Animations and pages: the first image counts."""
    first, other = noise("P", 12, 12), noise("P", 12, 12).rotate(90)
    rest: dict[str, Any] = {"save_all": True, "append_images": [other, other]}
    colours, more = noise("RGB", 12, 12), noise("RGB", 12, 12).rotate(90)
    both: dict[str, Any] = {"save_all": True, "append_images": [more]}
    yield Odd("a.gif", saved(first, "GIF", **rest), pixels=seen(first))
    gone = {"disposal": 2, "transparency": 0, "duration": [0, 9, 9], "loop": 0}
    yield Odd("b.gif", saved(first, "GIF", **rest, **gone), pixels=seen(first))
    yield Odd("a.png", saved(colours, "PNG", **both), pixels=seen(colours))
    still = {**both, "default_image": True}
    yield Odd("b.png", saved(colours, "PNG", **still), pixels=seen(colours))
    yield Odd("a.tif", saved(colours, "TIFF", **both), pixels=seen(colours))
    yield Odd("b.tif", saved(noise("1"), "TIFF", **both), pixels=seen(noise("1")))
    exact = {**both, "lossless": True}
    yield Odd("a.webp", saved(colours, "WEBP", **exact), pixels=seen(colours))
    yield Odd("a.jpg", saved(colours, "MPO", **both))  # as telephones write them


def sizes() -> Iterator[Odd]:
    """From one pixel to lines of 30,000."""
    for height, width in (
        *((1, 2), (2, 1), (3, 3), (8, 8), (9, 9), (7, 8), (64, 64), (255, 1)),
        *((1, 30_000), (30_000, 1), (3, 40_001), (600, 2), (1, 64), (65, 1)),
    ):
        image = noise("RGB", height, width)
        for suffix in ("png", "bmp", "tif"):
            name = f"size-{height}-{width}.{suffix}"
            yield Odd(name, saved(image, FORMATS[suffix]), pixels=seen(image))
    yield Odd("long.jpg", saved(noise("RGB", 1, 30_000), "JPEG"))
    yield Odd("large.jpg", saved(noise("L", 900, 1300), "JPEG", exif=b""))


NAMES = (
    *("a b", " a", "a ", "ünï", "u\u0308", "日本", "🙂", "e\u0301", "ﬁ", "İ", "\u200b"),
    *("100%", "%s", "{0}", "$(touch x)", "`id`", "${HOME}", "~", "#", "&", ";", "|"),
    *("'q'", '"q"', "a\\b", "\\n", "new\nline", "tab\t", "\r", "\x1b[31m", "\x07"),
    *(
        "\x7f",
        "\u202etxt",
        "\u2028",
        "caf\udce9",
        "\udcff",
        "a\udc80b",
        "\x85",
        "*?[a]",
    ),
    *("-x", "--top", "-", "=1+1", "@a", "im.jpg", "im.txt", "a..", "CON", "n" * 240),
    *(
        "<b>",
        "[red]",
        "[i",
        ":smile:",
        "a:b",
        "std:a",
        "http",
        "%00",
        "\\x00",
        "!",
        "^",
    ),
)


def names() -> Iterator[Odd]:
    """Names of all kinds, and suffixes in capitals."""
    image = noise("RGB")
    one = partial(Odd, write=saved(image, "PNG"), pixels=seen(image))
    yield from (one(f"{name}.png") for name in NAMES)
    yield from (one(f"CAPITALS.{one_}") for one_ in ("PNG", "Png", "pNg"))
    for suffix in ("jpeg", "JPEG", "tiff", "TIFF", "PGM", "WebP", "GIF", "BMP"):
        yield one(f"capitals.{suffix}")


def contents() -> Iterator[Odd]:
    """Contents that the suffix does not tell, and what is no image."""
    for content in FORMATS:
        for suffix in FORMATS:
            if suffix != content:
                yield Odd(f"is-{content}.{suffix}", put(encoded(content)))
        data, rest = encoded(content), b"\0" * 9 + b"<script>"
        yield Odd(f"more.{content}", put(data + rest))
    for number, (why, data) in enumerate(FOREIGN):
        suffix = ("png", "jpg", "tif", "gif")[number % 4]
        yield Odd(f"foreign-{number}.{suffix}", put(data), Fate.NAMED, why)
    other = "cannot identify it as"
    for format in ("EPS", "ICO", "TGA", "PCX", "SGI", "JPEG2000", "DDS", "PDF", "IM"):
        write = saved(noise("RGB", 32, 32), format)
        yield Odd(f"{format}.png", write, Fate.NAMED, other)
    for number, mode in enumerate(("I", "F")):
        write, why = saved(noise(mode), "TIFF"), "more than 16 bits"
        yield Odd(f"deep-{number}.tif", write, Fate.NAMED, why)
    yield Odd("lab.tif", saved(noise("LAB"), "TIFF"))


def damaged() -> Iterator[Odd]:
    """Cut files of each format, and broken ones."""
    for suffix in FORMATS:
        data = encoded(suffix)
        for share in (0.02, 0.4, 0.8):
            cut = data[: max(9, int(len(data) * share))]
            yield Odd(f"cut-{share}.{suffix}", put(cut), Fate.NAMED)
    yield Odd("endless.jpg", put(encoded("jpg")[:-2]), Fate.NAMED, "truncated")
    for number, (suffix, why, data) in enumerate(BROKEN):
        yield Odd(f"broken-{number}.{suffix}", put(data), Fate.NAMED, why)


def depths() -> Iterator[Odd]:
    """Pictures of 1 to 16 bits that Pillow does not write."""
    draw = default_rng(5)
    deep = draw.integers(0, 2**16, (6, 5, 4)).astype(np.uint16)
    shallow = (deep >> 8).astype(np.uint8)
    grey = np.repeat(shallow[..., :1], 3, axis=2)
    for channels in (1, 2, 3, 4):
        pixels = grey if channels < 3 else shallow[..., :3]
        data = png(deep[..., :channels])
        yield Odd(f"deep-{channels}.png", put(data), pixels=pixels)
    yield Odd("deep.pgm", put(netpbm(deep[..., :1], 65535)), pixels=grey)
    yield Odd("deep.ppm", put(netpbm(deep[..., :3], 65535)))
    yield Odd("shallow.pgm", put(netpbm(deep[..., :1] % 8, 7)))
    yield Odd("plain.ppm", put(b"P3 # text\n2 1 255 1 2 3\n4 5 6\n"))
    yield Odd("plain.pgm", put(b"P2\n2 1\n9\n0 9\n"))
    yield Odd("down.bmp", put(bitmap(2, -2)))


def in_files() -> list[Odd]:
    """All of these."""
    kinds = (modes, orientations, several, sizes, names, contents)
    return [odd for kind in (*kinds, damaged, depths) for odd in kind()]
