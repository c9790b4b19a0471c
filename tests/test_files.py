"""A file is replaced whole or not at all."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from s2mlp_dsl.files import is_same_file, replace_file
from tests.cli.running import s2mlp
from tests.report.test_report import write_run

MODEL = "model m {\n image(1, 8, 8)\n b\n pool(mean)\n linear(3)\n}\n"
EMPTY = os.devnull


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
        ("import-weights", "--from", EMPTY, "--map", EMPTY, "-o"),
    ],
)
def test_the_spec_is_no_output(words: tuple[Any, ...], tmp_path: Path) -> None:
    """Nor is a file that it imports, or that one of those imports."""
    files = {
        "m.arch": f'edition 1\nimport b from "near.arch"\n{MODEL}',
        "near.arch": 'edition 1\nimport b from "far.arch"\n',
        "far.arch": "edition 1\nblock b {\n gelu\n}\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
        os.link(tmp_path / name, tmp_path / f"{name}.svg")
    for name in files:
        for output in (tmp_path / name, tmp_path / f"{name}.svg"):
            done = s2mlp(words[0], tmp_path / "m.arch", *words[1:], output)
            if words[0] == "diagram" and output.suffix == ".arch":
                assert done.returncode == 2, done.stderr
            else:
                said = f"-o {output} is the input "
                assert done.returncode == 2 and said in done.stderr, done.stderr
    for name, text in files.items():
        assert (tmp_path / name).read_text() == text


def test_a_file_of_a_run_is_no_output(tmp_path: Path) -> None:
    spec, run = tmp_path / "m.arch", write_run(tmp_path / "run")
    spec.write_text(f"edition 1\n{MODEL}".replace(" b\n", ""))
    for name in ("run.json", "model.arch", "metrics.jsonl"):
        before = (run / name).read_bytes()
        done = s2mlp("report", spec, run, "-o", run / name)
        assert done.returncode == 2 and "is the input" in done.stderr, done.stderr
        assert (run / name).read_bytes() == before
    assert s2mlp("report", spec, run, "-o", run / "report.html").returncode == 0
