"""Writing a file: all of it, or what was there before."""

import os
from contextlib import suppress
from pathlib import Path

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL
# Nothing is written through a link, nor are line ends changed on Windows.
PLAIN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def beside(path: Path) -> Path:
    """A name in the same folder that nobody can have foreseen."""
    return path.with_name(f".{os.urandom(8).hex()}.tmp")


def write_new(path: Path, data: bytes) -> None:
    """Write a file that must not exist and wait until it is on disk. Raises OSError."""
    handle = os.open(path, _NEW | PLAIN, 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        _remove(path)
        raise


def replace_file(path: Path, data: bytes) -> None:
    """Write a file beside its place, then rename it.

    A full disk or a kill leaves the old file. If `path` is a link, the file that it
    names is replaced; permissions are kept. The file beside it has a name that nobody
    can foresee and is created anew, so that no link put there is written through.
    What is no file, such as /dev/stdout, is written as it is. Raises OSError.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        target.write_bytes(data)
        return
    aside = beside(target)
    write_new(aside, data)
    try:
        with suppress(FileNotFoundError):
            aside.chmod(target.stat().st_mode & 0o7777)
        aside.replace(target)
    except BaseException:
        _remove(aside)
        raise


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def is_same_file(one: Path, other: Path) -> bool:
    """Whether both paths lead to one file, also through links."""
    try:
        return one.samefile(other)
    except OSError:
        return False
