"""File operations: a crash at any moment leaves the old file or the new one."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from s2mlp_dsl.errors import EnvironmentFailure


@contextmanager
def reported(path: Path, doing: str) -> Iterator[None]:
    """Turn an OSError into an EnvironmentFailure with path and reason."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise EnvironmentFailure(f"cannot {doing} {path}: {reason}") from error


def make_folder(path: Path) -> None:
    """Create a folder and its parents, unless it exists."""
    with reported(path, "create the folder"):
        path.mkdir(parents=True, exist_ok=True)


def write(path: Path, data: bytes) -> None:
    """Write a file and wait until it is on disk."""
    with reported(path, "write"), path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on disk."""
    if os.name == "nt":  # Windows cannot open folders, and need not
        return
    with reported(path, "write"):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def replace(path: Path, data: bytes) -> None:
    """Replace a file atomically: readers see the old content or the new."""
    aside = path.with_name(path.name + ".tmp")
    try:
        write(aside, data)
        with reported(path, "write"):
            aside.replace(path)
    except EnvironmentFailure:
        with suppress(OSError):
            aside.unlink()
        raise
    sync_folder(path.parent)


def rename(source: Path, target: Path) -> None:
    """Give a finished folder its final name."""
    with reported(target, "write"):
        source.rename(target)
    sync_folder(target.parent)


def remove_folder(path: Path) -> None:
    """Delete a folder and its content."""
    with reported(path, "delete"):
        shutil.rmtree(path)


def read(path: Path) -> bytes:
    """A file's bytes."""
    with reported(path, "read"):
        return path.read_bytes()
