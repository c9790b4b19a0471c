"""A file is replaced whole or not at all."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from s2mlp_dsl.files import is_same_file, replace_file
from tests.cli.running import s2mlp

SPEC = "edition 1\nmodel m {\n image(1, 8, 8)\n pool(mean)\n linear(3)\n}\n"


def test_a_full_disk_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "spec.arch"
    path.write_text("old")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        replace_file(path, b"new")
    assert path.read_text() == "old" and [*tmp_path.iterdir()] == [path]


@pytest.mark.unix
def test_permissions_and_links_are_kept(tmp_path: Path) -> None:
    path, link = tmp_path / "spec.arch", tmp_path / "link.arch"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    replace_file(link, b"new")
    assert link.is_symlink() and path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    new = tmp_path / "new"
    replace_file(new, b"")
    umask = os.umask(0)
    os.umask(umask)
    assert new.stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.unix
def test_what_is_no_file_is_written_as_it_is(tmp_path: Path) -> None:
    replace_file(Path("/dev/null"), b"gone")
    assert not Path("/dev/null").is_file()


@pytest.mark.unix
def test_a_planted_link_is_not_written_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    monkeypatch.setattr("os.urandom", bytes)
    (tmp_path / ".0000000000000000.tmp").symlink_to(outside)
    with pytest.raises(OSError, match="exists"):
        replace_file(tmp_path / "new", b"theirs")
    assert outside.read_text() == "mine"


def test_one_file_by_two_names(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("")
    os.link(path, tmp_path / "b")
    assert is_same_file(path, tmp_path / "b") and is_same_file(path, tmp_path / "./a")
    assert not is_same_file(path, tmp_path / "none")


@pytest.mark.parametrize(
    "words",
    [
        ("compile", "--emit", "torch", "-o"),
        ("compile", "--emit", "ir", "-o"),
        ("diagram", "-o"),
        ("report", "-o"),
    ],
)
def test_the_spec_is_no_output(words: tuple[Any, ...], tmp_path: Path) -> None:
    spec, link = tmp_path / "m.arch", tmp_path / "m.svg"
    spec.write_text(SPEC)
    os.link(spec, link)
    for output in (spec, link):
        done = s2mlp(words[0], spec, *words[1:], output)
        assert done.returncode == 2 and "is the input" in done.stderr, done.stderr
        assert spec.read_text() == SPEC
