"""Links, pipes and other things that are no image files, or not in their place."""

import os
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from PIL import Image

from .odd_images import Fate, Odd, noise, saved, seen


def links() -> Iterator[Odd]:
    """Links, and what is no file. Targets are beside the data."""
    image = noise("RGB", 10, 10)
    to = lambda target: lambda path: path.symlink_to(target)  # noqa: E731
    missing, pipes = "No such file", "pipes, sockets and devices"

    def elsewhere(path: Path) -> Path:
        target = path.parents[3] / f"target-{path.name}"
        image.save(target, "PNG")
        return target

    def folder(path: Path) -> None:
        target = path.parents[3] / f"folder-{path.name}"
        target.mkdir()
        image.save(target / "inside.png")
        path.symlink_to(target)

    used = partial(Odd, pixels=seen(image))
    yield used("link.png", lambda path: path.symlink_to(elsewhere(path)))
    yield used("hard.png", lambda path: os.link(elsewhere(path), path))
    yield used("folder-link/inside.png", lambda path: folder(path.parent))
    yield used("f.png/inside.png", lambda path: _inside(path, image))
    yield used("a/b/c d/inside.png", lambda path: _inside(path, image))
    yield Odd("broken-link.png", to("nowhere"), Fate.NAMED, missing)
    yield Odd("itself.png", to("itself.png"), Fate.NAMED, "Too many levels")
    yield Odd("up", to("."), Fate.COUNTED, "links to a folder that contains them")
    yield Odd("up.png", to("../.."), Fate.COUNTED, "links to a folder")
    yield Odd("null.png", to("/dev/null"), Fate.COUNTED, pipes)
    yield Odd("null.txt", to("/dev/null"), Fate.COUNTED, "suffix")
    yield Odd("pipe.png", os.mkfifo, Fate.COUNTED, pipes)
    yield Odd("socket.jpg", _socket, Fate.COUNTED, pipes)

    def closed(path: Path) -> None:
        image.save(path, "PNG")
        path.chmod(0)

    yield Odd("closed.png", closed, Fate.NAMED, "Permission denied")


def _inside(path: Path, image: Image.Image) -> None:
    path.parent.mkdir(parents=True)
    image.save(path)


def _socket(path: Path) -> None:
    # The path of a socket may not be longer than about a hundred bytes.
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def left_out() -> Iterator[Odd]:
    """Hidden and system files, and those with other suffixes or none."""
    image = noise("RGB", 10, 10)
    hidden = "hidden or system files and folders"
    for name in ("._im.png", ".im.png", ".png", ".DS_Store", "..png", ".\udcff.jpg"):
        yield Odd(name, saved(image, "PNG"), Fate.COUNTED, hidden)
    for name in (".git", "__MACOSX", "@eaDir", "$RECYCLE.BIN", ".x.png"):
        write = lambda path: _inside(path / "im.png", image)  # noqa: E731
        yield Odd(name, write, Fate.COUNTED, hidden)
    for name in (
        *(
            "im.png~",
            "im.png.bak",
            "im",
            "png",
            "im.png ",
            "im.png\n",
            "im.PNG.",
            "a.heic",
        ),
        *(
            "a.svg",
            "a.avif",
            "a.jfif",
            "a.pbm",
            "a.jp2",
            "Thumbs.db",
            "a.txt",
            "-",
            "a.pngx",
        ),
    ):
        yield Odd(name, saved(image, "PNG"), Fate.COUNTED, "without an image's suffix")
