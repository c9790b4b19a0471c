"""The command `study`, in this process: plans, exit codes, what is left."""

import json
import sys
from pathlib import Path
from unittest.mock import patch

import pytest

from s2mlp_dsl.cli import main
from s2mlp_dsl.study.store import read_plan, read_results
from tests.diagnostics.running import Checker
from tests.study.small import SPEC


def study(spec: Path, *words: str | Path) -> int:
    argv = ["s2mlp-dsl", "study", str(spec), *map(str, words)]
    with patch.object(sys, "argv", argv), pytest.raises(SystemExit) as ended:
        main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A study of which a row fails: digits are no 10×10 images."""
    path = tmp_path / "small.arch"
    path.write_text(SPEC.replace("width = [4, 8]", "size = [8, 10]"))
    return path


def test_a_study_is_planned_run_and_continued(
    spec: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert study(spec, "--out", out, "--dry-run") == 0
    said = capsys.readouterr().out
    assert "widths: 2 rows, 2 seeds, by quick" in said
    assert "size = 8      290  2,640" in said and "4 to do of 4" in said
    assert "measured here" in said and "takes 1×10×10 images" in said
    assert not out.exists()

    assert study(spec, "--out", out, "--seeds", "1") == 4  # a run failed
    said = capsys.readouterr().err
    assert "[1/2] size-8-0: test " in said
    assert "[2/2] size-10-0: failed: digits has 10 classes of 1×8×8 images" in said
    assert [one.name for one in read_results(out)] == ["size-10-0", "size-8-0"]
    before = {one.name: one for one in read_results(out)}

    # Another shard, which has only a run that is done, and quietly.
    assert study(spec, "--out", out, "--seeds", "1", "--shard", "1/2", "-q") == 0
    assert capsys.readouterr().err == ""
    assert {one.name: one for one in read_results(out)} == before
    assert read_plan(out).seeds == (0,)

    # What is in the folder belongs to a row of another length.
    assert study(spec, "--out", out, "--set", "epochs=3") == 2
    said = capsys.readouterr().err
    assert "contains another study" in said and "size-8: epochs, 1 → 3" in said
    assert {one.name: one for one in read_results(out)} == before


def test_check_lists_rows_and_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "small.arch"
    path.write_text(
        SPEC.replace("vary", 'case "(a)" small printed [87.1]\ncase "(b)" small\nvary')
    )
    check = Checker(capsys)
    run = check(path)
    assert run.code == 0
    assert "widths: a study of 4 rows, 2 seeds, 4 runs" in run.out
    line = "  (b), width = 4  small(width = 4)  (runs of a-width-4)"
    assert line in run.out.splitlines()
    assert "widths" not in check(path, "--model", "small").out
    (study,) = json.loads(check(path, "--format", "json").out)["studies"]
    assert (study["name"], study["seeds"], study["runs"]) == ("widths", [0, 1], 4)
    first, *_ = study["rows"]
    assert first["label"] == "(a), width = 4" and first["case"] == "(a)"
    assert first["printed"]["top1"] == {"text": "87.1", "value": 87.1}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--shard", "0/2"], "the shards of 2 are 1 to 2"),
        (["--shard", "3"], "'3' is not I/N"),
        (["--name", "other"], "there is no study `other`; there is `widths`"),
        (["--set", "seed=3"], "--seeds"),
        (["--jobs", "0"], "--jobs"),
    ],
)
def test_wrong_usage(
    words: list[str], said: str, spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert study(spec, *words) == 2
    assert said in capsys.readouterr().err


def test_a_setting_for_all_rows_is_held_against_the_spec(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert study(spec, "--set", "size=8") == 1
    assert "error[A0617]" in capsys.readouterr().err
    assert study(spec, "--set", "wdith=8") == 1
    assert "error[A0402]" in capsys.readouterr().err


def test_a_file_without_studies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "none.arch"
    path.write_text("edition 1\n")
    assert study(path) == 2
    assert "the file declares no study" in capsys.readouterr().err
