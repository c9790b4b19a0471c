"""What `check` does with files that are no specs, and with imports that stray.

Exit codes: 0 fine, 1 the spec is wrong, 2 there is no spec to read.
"""

import json
import os
from pathlib import Path

import pytest

from tests.diagnostics.running import Checker, run_process

GOOD = b"edition 1\nmodel m {\n    image(3, 8, 8)\n}\n"


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str]) -> Checker:
    return Checker(capsys)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "A0102"),
        (b"\n\n", "A0102"),
        (b"\xef\xbb\xbf", "A0102"),
        (b"\0" * 100, "A0104"),
        (bytes(range(256)) * 10, "A0701"),
        (b"\xff\xfe" + "edition 1".encode("utf-16-le"), "A0701"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "A0701"),
        (b"# \xff\n", "A0701"),
        (b"#" * (2**20 + 1), "A0801"),
        (b"edition 1\rmodel m { gelu }", "A0104"),
    ],
)
def test_no_spec(data: bytes, code: str, tmp_path: Path, check: Checker) -> None:
    path = tmp_path / "x.arch"
    path.write_bytes(data)
    run = check(path)
    assert run.code == 1
    assert f"error[{code}]" in run.err
    assert not set("\x00\x1b") & set(run.err)
    data_run = check(path, "--format", "json")
    assert data_run.code == 1
    assert json.loads(data_run.out)["diagnostics"][0]["code"] == code


@pytest.mark.parametrize("wrap", [b"\xef\xbb\xbf%s", b"%s\n\n", b"\n\n%s"])
def test_byte_order_mark_and_blank_lines(
    wrap: bytes, tmp_path: Path, check: Checker
) -> None:
    path = tmp_path / "x.arch"
    for text in (GOOD, GOOD.replace(b"\n", b"\r\n")):
        path.write_bytes(wrap % text)
        assert check(path).code == 0


def test_nothing_to_read(tmp_path: Path, check: Checker) -> None:
    (tmp_path / "loop.arch").symlink_to("loop.arch")
    for name in ("missing.arch", ".", "no/such/folder.arch", "loop.arch", "x" * 300):
        run = check(tmp_path / name)
        assert run.code == 2
        assert "error[A0701]" in run.err
        assert " |" not in run.err  # there is no line to show
        assert check(tmp_path / name, "--format", "json").code == 2


@pytest.mark.unix
def test_a_file_without_end(check: Checker) -> None:
    assert "error[A0801]" in check("/dev/zero").err


@pytest.mark.unix
@pytest.mark.skipif(
    hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read everything"
)
def test_a_file_that_may_not_be_read(tmp_path: Path, check: Checker) -> None:
    path = tmp_path / "x.arch"
    path.write_bytes(GOOD)
    path.chmod(0)
    assert check(path).code == 2


def test_usage(tmp_path: Path, check: Checker) -> None:
    path = tmp_path / "x.arch"
    path.write_bytes(GOOD)
    for words in (
        (),
        (path, "--model", "none"),
        (path, "--set", "a=1"),
        (path, "--set", "a"),
        (path, "--format", "xml"),
        (path, path),
    ):
        run = check(*words)
        assert run.code == 2
        assert run.err


@pytest.mark.unix
@pytest.mark.parametrize(
    ("origin", "code"),
    [
        ("gone.arch", "A0702"),
        ("", "A0702"),
        (".", "A0702"),
        ("..", "A0703"),
        ("../outside.arch", "A0703"),
        ("folder/../../outside.arch", "A0703"),
        ("/etc/passwd", "A0703"),
        ("out.arch", "A0703"),  # a link that leads out
        ("away/outside.arch", "A0703"),  # through a linked folder
        ("loop.arch", "A0702"),
        ("pipe", "A0702"),
        ("a\0b", "A0702"),
        ("x" * 5000, "A0702"),
        ("std:", "A0702"),
        ("std:none", "A0702"),
        ("std:../../../etc/passwd", "A0703"),
        ("std:/etc/passwd", "A0703"),
        ("main.arch", "A0704"),
        ("binary.arch", "A0701"),
        ("big.arch", "A0801"),
    ],
)
def test_imports(origin: str, code: str, tmp_path: Path, check: Checker) -> None:
    project = tmp_path / "project"
    (project / "folder").mkdir(parents=True)
    (tmp_path / "outside.arch").write_bytes(b"edition 1\nlet a = 1\n")
    (project / "out.arch").symlink_to(tmp_path / "outside.arch")
    (project / "away").symlink_to(tmp_path)
    (project / "loop.arch").symlink_to("loop.arch")
    (project / "binary.arch").write_bytes(b"\xff\xfe\x00")
    (project / "big.arch").write_bytes(b"#" * 2**21)
    os.mkfifo(project / "pipe")
    main = project / "main.arch"
    main.write_text(f'edition 1\nimport a from "{origin}"\nlet b = a\n')
    run = check(main, "--format", "json")
    assert run.code == 1
    assert [one["code"] for one in json.loads(run.out)["diagnostics"]] == [code]


def test_a_project_is_wider_than_a_folder(tmp_path: Path, check: Checker) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "base.arch").write_text("edition 1\nlet a = 1\n")
    main = tmp_path / "deep" / "er" / "main.arch"
    main.write_text('edition 1\nimport a as b from "../../base.arch"\nlet c = b\n')
    assert check(main).code == 0


def test_longer_cycles_are_shown(tmp_path: Path, check: Checker) -> None:
    for number in range(3):
        (tmp_path / f"f{number}.arch").write_text(
            f'edition 1\nimport a from "f{(number + 1) % 3}.arch"\n'
        )
    run = check(tmp_path / "f0.arch")
    assert run.code == 1
    assert "f0.arch → f1.arch → f2.arch → f0.arch" in run.err
    assert run.err.count("error[") == 1


def test_many_files(tmp_path: Path, check: Checker) -> None:
    for number in range(200):
        (tmp_path / f"f{number}.arch").write_text(
            f'edition 1\nimport a from "f{number + 1}.arch"\n'
        )
    run = check(tmp_path / "f0.arch")
    assert run.code == 1 and run.seconds < 1
    assert run.err.count("error[A0807]") == run.err.count("error[") == 1


def test_a_mistake_in_an_import_is_shown_there(tmp_path: Path, check: Checker) -> None:
    (tmp_path / "b.arch").write_text("edition 1\nblock b {\n    gelo\n}\n")
    main = tmp_path / "a.arch"
    main.write_text(
        'edition 1\nimport b from "b.arch"\nmodel m {\n    image(3, 8, 8)\n    b\n}\n'
    )
    run = check(main)
    assert run.err.count("error[") == 1
    assert "b.arch:3:5" in run.err


def test_in_processes_of_their_own(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.arch", tmp_path / "bad.arch"
    good.write_bytes(GOOD)
    bad.write_bytes(b"edition 1\nmodel m {\n    imag(3, 8, 8)\n    \xc3\xa9\n}\n")
    assert run_process("check", good).code == 0
    run = run_process("check", bad)
    assert (run.code, run.out) == (1, "m: skipped because of the errors above\n")
    assert "Traceback" not in run.err
    assert run_process("check", tmp_path).code == 2
    assert run_process("check", tmp_path / "none").code == 2
