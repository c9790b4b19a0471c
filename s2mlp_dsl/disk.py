"""File operations: a crash at any moment leaves the old file or the new one.

Nothing is written through a link, so a folder from somebody else cannot lead out of
itself.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from s2mlp_dsl.errors import EnvironmentFailure, UsageError
from s2mlp_dsl.files import PLAIN, replace_file, write_new

RECORD_BYTES = 64 * 2**20  # a larger record is not one of ours
# What is written at first, here and by earlier versions.
_ASIDE = re.compile(
    r"\.[0-9a-f]{16}\.tmp"
    r"|(run\.json|model\.arch|summary\.json|metrics\.jsonl|curves\.svg)\.tmp"
    r"|(latest|step_\d+)\.tmp"
)


@contextmanager
def reported(path: Path, doing: str) -> Iterator[None]:
    """Turn an OSError into an EnvironmentFailure with path and reason."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise EnvironmentFailure(f"cannot {doing} {path}: {reason}") from error


def make_folder(path: Path) -> list[Path]:
    """Create a folder and its parents, unless it exists. Returns what is new."""
    with reported(path, "create the folder"):
        missing = [one for one in (path, *path.parents) if not one.exists()]
        path.mkdir(parents=True, exist_ok=True)
    return missing


def write(path: Path, data: bytes) -> None:
    """Write a new file and wait until it is on disk."""
    with reported(path, "write"):
        write_new(path, data)


def appending(path: Path) -> int:
    """A file descriptor that appends to a file, which is not a link."""
    with reported(path, "write"):
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | PLAIN, 0o666)


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
    if path.is_symlink():
        raise _is_a_link(path)
    with reported(path, "write"):
        replace_file(path, data)
    sync_folder(path.parent)


def rename(source: Path, target: Path) -> None:
    """Give a finished folder its final name."""
    with reported(target, "write"):
        source.rename(target)
    sync_folder(target.parent)


def remove_folder(path: Path) -> None:
    """Delete a folder and its content; links in it are deleted, not followed."""
    with reported(path, "delete"):
        shutil.rmtree(path)


def is_leftover(name: str) -> bool:
    """Whether a killed process may have left a file or folder of this name."""
    return _ASIDE.fullmatch(name) is not None


def remove_leftovers(folder: Path) -> None:
    """Delete what a killed process was writing: names as `files.beside` gives them."""
    with reported(folder, "delete leftovers in"):
        for path in folder.iterdir() if folder.is_dir() else ():
            if not is_leftover(path.name):
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def require_no_links(root: Path, *paths: Path) -> None:
    """Raise UsageError if a path below `root`, or a folder on its way, is a link."""
    for path in paths:
        for part in (path, *path.parents):
            if part == root:
                break
            if part.is_symlink():
                raise _is_a_link(part)


def _is_a_link(path: Path) -> UsageError:
    return UsageError(
        f"{path} is a link; here nothing is written or deleted through links: put the "
        "file or folder itself there"
    )


def read(path: Path) -> bytes:
    """A file's bytes."""
    with reported(path, "read"):
        return path.read_bytes()


def read_record(path: Path) -> dict[str, Any]:
    """A JSON object of bounded size and depth. Raises EnvironmentFailure."""
    with reported(path, "read"), path.open("rb") as file:
        data = file.read(RECORD_BYTES + 1)
    if len(data) > RECORD_BYTES:
        raise EnvironmentFailure(f"{path} is larger than {RECORD_BYTES:,} bytes")
    try:
        content = from_json(data)
    except ValueError as error:
        raise EnvironmentFailure(f"{path} is damaged: {error}") from error
    if not isinstance(content, dict):
        raise EnvironmentFailure(f"{path} is damaged: it is not a JSON object")
    return content


def sealed(content: dict[str, Any]) -> bytes:
    """A record as JSON, with a SHA-256 of its content."""
    text = json.dumps({**content, "sha256": _digest(content)}, indent=2)
    return text.encode() + b"\n"


def unsealed(content: dict[str, Any], path: Path) -> dict[str, Any]:
    """The record without its SHA-256. Raises EnvironmentFailure if it is not that."""
    rest = {key: value for key, value in content.items() if key != "sha256"}
    if content.get("sha256") != _digest(rest):
        raise EnvironmentFailure(
            f"{path} is damaged: it is not what was written, its SHA-256 differs"
        )
    return rest


def _digest(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
