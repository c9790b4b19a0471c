"""Which files of a folder are images: one rule for training, evaluation, prediction.

Image files are those with one of `SUFFIXES`, in any case. Links to files and folders
are followed. Hidden files and folders (a leading dot) and those that operating systems
make by themselves (`SYSTEM`) are left out, as are pipes, sockets, devices, other files,
and links to a folder that contains them. What is left out is counted. The rule applies
below the folder that the user names, not to that name itself.
"""

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from s2mlp_dsl.errors import EnvironmentFailure
from s2mlp_dsl.escape import plain

# torchvision's, and GIF.
SUFFIXES = (
    *(".jpg", ".jpeg", ".png", ".gif", ".bmp"),
    *(".webp", ".tif", ".tiff", ".ppm", ".pgm"),
)
# macOS, Windows, Synology, ext4 and Python; in lower case.
SYSTEM = frozenset(
    {
        "__macosx",
        "$recycle.bin",
        "recycler",
        "system volume information",
        "@eadir",
        "#recycle",
        "lost+found",
        "__pycache__",
    }
)
LOOP = "links to a folder that contains them"
HASHED_FILES, HASHED_BYTES = 1_000, 2**14  # of a fingerprint


@dataclass
class Found:
    """Image files in order of folder and name, and how many others, by reason.

    `failures` name the folders that cannot be read.
    """

    files: list[Path] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def notes(self, root: Path) -> tuple[str, ...]:
        """A line for each reason why files or folders are left out."""
        return tuple(
            f"{shown(root)}: {count:,} left out ({what})"
            for what, count in sorted(self.left_out.items())
        )


def is_system(name: str) -> bool:
    """Whether a file or folder is hidden, or made by an operating system."""
    return name.startswith(".") or name.lower() in SYSTEM


def is_image(name: str) -> bool:
    """Whether a name has an image's suffix."""
    return name.lower().endswith(SUFFIXES)


def find_images(folder: Path, within: Path | None = None) -> Found:
    """The images in a folder and below.

    If the folder is a link to one that contains `within`, it counts as left out.
    """
    found = Found()
    real = () if within is None else (within.resolve(), *within.resolve().parents)
    _walk(folder, found, tuple(one for one in map(_identity, real) if one))
    found.files.sort(key=lambda path: (str(path.parent), path.name))
    return found


def _walk(folder: Path, found: Found, above: tuple[tuple[int, int], ...]) -> None:
    """`above` identifies the folders that contain this one."""
    here = _identity(folder)
    if here in above:
        found.left_out[LOOP] += 1
        return
    try:
        inside = entries(folder)
    except EnvironmentFailure as error:
        found.failures.append(str(error))
        return
    for path in inside:
        status = _status(path)
        if is_system(path.name):
            found.left_out["hidden or system files and folders"] += 1
        elif status is not None and stat.S_ISDIR(status.st_mode):
            _walk(path, found, (*above, here) if here else above)
        elif not is_image(path.name):
            found.left_out["files without an image's suffix"] += 1
        elif status is not None and not stat.S_ISREG(status.st_mode):
            found.left_out["pipes, sockets and devices"] += 1
        else:  # a broken link too: whoever reads it says so
            found.files.append(path)


def entries(folder: Path) -> list[Path]:
    """What a folder contains, by name. Raises EnvironmentFailure naming the folder."""
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot read the folder {shown(folder)}: {error.strerror}"
        ) from error


def _identity(folder: Path) -> tuple[int, int] | None:
    status = _status(folder)
    return None if status is None else (status.st_dev, status.st_ino)


def _status(path: Path) -> os.stat_result | None:
    """Of what a path leads to; None where it leads nowhere."""
    try:
        return path.stat()
    except OSError:
        return None


def shown(path: Path | str) -> str:
    """A path as text: what is not UTF-8, and control characters, as escapes."""
    return plain(os.fsencode(path).decode("utf-8", errors="backslashreplace"))


def is_utf8(path: Path) -> bool:
    """Whether a path can be kept as text."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def fingerprint(root: Path, labelled: Iterable[tuple[Path, str]]) -> str:
    """A SHA-256 over the names, sizes and classes of all files.

    To notice files of one size that change places, it also covers the beginnings of up
    to 1,000 files, evenly spread.
    """
    samples = list(labelled)
    digest = hashlib.sha256()
    for path, label in samples:
        status = _status(path)
        size = -1 if status is None else status.st_size
        name = os.fsencode(path.relative_to(root).as_posix())
        digest.update(name + f"\0{size}\0{label}\n".encode("utf-8", "surrogateescape"))
    for path in _spread([path for path, _ in samples]):
        try:
            with path.open("rb") as file:
                digest.update(file.read(HASHED_BYTES))
        except OSError:
            digest.update(b"unreadable")
    return digest.hexdigest()


def _spread(paths: list[Path]) -> Iterator[Path]:
    step = max(1, -(-len(paths) // HASHED_FILES))
    yield from paths[::step]
