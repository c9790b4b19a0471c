"""Image files byte by byte: what Pillow does not write."""

import gzip
import io
import struct
import zipfile
import zlib

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + _check(kind + data)


def _check(data: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(data))


def header(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    """The first chunk of a PNG."""
    return chunk(
        b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    )


def png(deep_HWC: np.ndarray, *more: bytes) -> bytes:
    """A PNG of 16 bits with 1 to 4 channels, and more chunks before its pixels."""
    height, width, channels = deep_HWC.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in deep_HWC)
    first = header(width, height, 16, (0, 4, 2, 6)[channels - 1])
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return SIGNATURE + first + b"".join(more) + pixels + chunk(b"IEND", b"")


def netpbm(values_HWC: np.ndarray, white: int) -> bytes:
    """A PGM or PPM with this value of white."""
    height, width, channels = values_HWC.shape
    kind = {1: "P5", 3: "P6"}[channels]
    values = values_HWC.astype(">u2" if white > 255 else np.uint8)
    return f"{kind}\n{width} {height}\n{white}\n".encode() + values.tobytes()


def bitmap(width: int, height: int) -> bytes:
    """A BMP of 24 bits; one of negative height begins at the top.

    The pixels of a small one are zeros, of a large one missing.
    """
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    small = abs(width * height) < 100
    pixels = bytes((width * 3 + 3) // 4 * 4 * abs(height)) if small else b""
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, 54) + info + pixels


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("im.png", SIGNATURE)
    return file.getvalue()


def _tiff(*entries: tuple[int, int, int, int], after: int = 0) -> bytes:
    """A TIFF of one folder with entries (tag, type, count, value)."""
    packed = b"".join(struct.pack("<HHII", *one) for one in entries)
    count = struct.pack("<H", len(entries))
    return b"II*\0\x08\0\0\0" + count + packed + struct.pack("<I", after)


UNKNOWN = "cannot identify it as"
# What is no image at all, and why it is refused.
FOREIGN: list[tuple[str, bytes]] = [
    (UNKNOWN, data)
    for data in (
        *(
            b"",
            b"\0",
            b"\n",
            b"not an image",
            b"\xef\xbb\xbf",
            b"\xff\xfe",
            b"\xff\xd8",
        ),
        *(SIGNATURE, SIGNATURE[:7], b"GIF89a", b"BM", b"II*\0", b"RIFF\0\0\0\0WEBP"),
        *(
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            b"<!doctype html><script>1</script>",
        ),
        *(b"%PDF-1.7\n", b"%!PS\n(x) run\n", b"{}", b"\x80\x04N.", gzip.compress(b"x")),
        *(b"\0\0\0\x18ftypheic" + bytes(40), b"\0\0\0\x18ftypavif" + bytes(40)),
        *(b"\x7fELF" + bytes(60), b"#!/bin/sh\ntouch was-run\n", _zip(), bytes(5000)),
        *(b"push graphic-context\nimage over 0,0 0,0 'https://example.com'\n", b"P7\n"),
        *(
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
            b"GIF87b",
        ),
    )
]

_ROWS = zlib.compress(b"".join(b"\0" + bytes(range(at, at + 30)) for at in range(10)))
_BOMB = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**27)))
_LARGE = (
    (256, 4, 1, 2**14),
    (257, 4, 1, 2**13),
    (258, 3, 1, 8),
    (259, 3, 1, 1),
    (262, 3, 1, 1),
    (273, 4, 1, 8),
)
_DEEP = np.zeros((1, 1, 1), np.uint16)
TOO_LARGE = r"MiB of memory|decompression bomb"
# Suffix, a part of why it is refused, and the file.
BROKEN: list[tuple[str, str, bytes]] = [
    ("png", "", SIGNATURE + header(10, 10)),
    ("png", "", SIGNATURE + header(10, 10) + chunk(b"IEND", b"")),
    ("png", "", SIGNATURE + header(0, 0) + chunk(b"IDAT", _ROWS)),
    ("png", "", SIGNATURE + header(10, 10) + chunk(b"IDAT", b"junk")),
    ("png", "", SIGNATURE + header(10, 10) + chunk(b"IDAT", _ROWS[:20])),
    ("png", "", SIGNATURE + header(10, 10)[:-1] + b"x" + chunk(b"IDAT", _ROWS)),
    ("png", "", SIGNATURE + header(10, 10, 3) + chunk(b"IDAT", _ROWS)),
    ("png", "", SIGNATURE + header(10, 10, 8, 9) + chunk(b"IDAT", _ROWS)),
    ("png", TOO_LARGE, SIGNATURE + header(2**31 - 1, 1) + chunk(b"IDAT", _ROWS)),
    ("png", TOO_LARGE, SIGNATURE + header(40_000, 40_000) + chunk(b"IDAT", _ROWS)),
    ("png", "[Dd]ecompressed data", png(_DEEP, _BOMB)),
    ("bmp", TOO_LARGE, bitmap(150_000_000, 1)),
    ("bmp", TOO_LARGE, bitmap(1, 150_000_000)),
    ("bmp", TOO_LARGE, bitmap(12_000, 11_000)),
    ("bmp", "", bitmap(0, 0)),
    ("bmp", "", bitmap(200, 200)),
    ("gif", "", b"GIF89a" + bytes(7) + b";"),
    ("gif", "", b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x02\0;"),
    ("jpg", "", b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(9) + b"\xff\xd9"),
    ("jpg", "", b"\xff\xd8\xff\xc0\0\x0b\x08\0\0\0\0\x01\x01\x11\0\xff\xd9"),
    ("jpg", "", b"\xff\xd8\xff\xe1\xff\xff" + bytes(20)),
    ("tif", "", _tiff(after=8)),
    ("tif", "", _tiff((256, 4, 1, 9), (257, 4, 1, 9), (273, 4, 1, 10**9))),
    ("tif", "", _tiff((256, 4, 2**31, 9), (257, 4, 1, 9))),
    ("tif", TOO_LARGE, _tiff(*_LARGE)),
    ("webp", "", b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0/" + b"\xff" * 12),
    ("ppm", "", b"P6\n10 10\n255\n" + bytes(50)),
    ("ppm", "", b"P6\n-1 10\n255\n" + bytes(50)),
    ("ppm", "", b"P6\n1 1\n70000\n" + bytes(50)),
    ("ppm", TOO_LARGE, b"P5\n99999999 9\n255\n"),
    ("ppm", "EOF", b"P6"),
    ("ppm", "more than 16 bits", b"Pf\n1 1\n-1.0\n" + bytes(4)),
]
