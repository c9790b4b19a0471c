"""`fmt -`, whatever standard input has."""

import subprocess
import sys

import pytest


def formatted(data: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "s2mlp_dsl", "fmt", "-"], input=data, capture_output=True
    )


@pytest.mark.parametrize(
    "data", [b"edition 1\n\xff\xfe", b"\xff", b"edition 1\n\xc3", b"#" * (2**20 + 1)]
)
def test_what_is_not_a_spec(data: bytes) -> None:
    done = formatted(data)
    assert done.returncode == 1
    assert b"error[A0" in done.stderr and b"bug" not in done.stderr


def test_a_byte_order_mark() -> None:
    done = formatted(b"\xef\xbb\xbfedition   1\n")
    assert (done.returncode, done.stdout) == (0, b"edition 1\n")
