"""`s2mlp-dsl explain`."""

import os

from s2mlp_dsl.diagnostics import CODES
from tests.diagnostics.examples import example
from tests.diagnostics.running import run_process


def test_one_code() -> None:
    run = run_process("explain", "a0203")
    assert run.code == 0
    assert run.out.startswith("A0203: shift groups do not divide")
    assert example("A0203").wrong.text in run.out


def test_all_codes() -> None:
    run = run_process("explain")
    assert run.code == 0
    listed = [line.split()[0] for line in run.out.splitlines()]
    assert listed == sorted(CODES)


def test_no_code() -> None:
    run = run_process("explain", "A9999")
    assert run.code == 2
    assert "unknown code 'A9999'" in run.err


def test_a_terminal_without_unicode() -> None:
    os.environ["PYTHONIOENCODING"] = "ascii"
    try:
        run = run_process("explain", "A0202")
        assert run.code == 0
        assert run_process("explain", "A0108").code == 0
    finally:
        del os.environ["PYTHONIOENCODING"]
