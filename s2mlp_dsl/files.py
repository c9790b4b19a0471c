"""Writing a file: all of it, or what was there before."""

import os
import secrets
from contextlib import suppress
from pathlib import Path


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
    aside = target.with_name(f".{secrets.token_hex(8)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    handle = os.open(aside, flags | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            aside.chmod(target.stat().st_mode & 0o7777)
        aside.replace(target)
    except BaseException:
        with suppress(OSError):
            aside.unlink()
        raise


def is_same_file(one: Path, other: Path) -> bool:
    """Whether both paths lead to one file, also through links."""
    try:
        return one.samefile(other)
    except OSError:
        return False
