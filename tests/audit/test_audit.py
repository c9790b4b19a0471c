"""`audit` on code that others might have written."""

import json
import shutil
from pathlib import Path

import pytest

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.audit.inside import examined
from s2mlp_dsl.audit.run import Audit, AuditFailed, audit
from tests.cli.running import s2mlp

OTHERS = Path(__file__).parent / "others.py"


def tried(name: str, layout: str | None = None) -> Audit:
    """In this process: starting one for each takes longer than all the rest."""
    found = examined(OTHERS, name, layout, (6, 7, 16), "aot_eager")
    return Audit(str(OTHERS), name, found)


CROSS = """shift found {
    edge keep
    1/4 right 1
    1/4 left 1
    1/4 down 1
    1/4 up 1
}"""
ROLLED = """shift found {
    edge circular
    1/4 right 1
    1/4 left 1
    1/2 down 2
}"""
RIGHT = [
    ("cloned", "BHWC", CROSS),
    ("rolled", "BCHW", ROLLED),
    (
        "zero_filled",
        "BCHW",
        "shift found {\n    edge zeros\n    1/8 right 1\n    1/8 left 1\n"
        "    1/8 down 1\n    1/8 up 1\n    1/2 stay\n}",
    ),
    (
        "time_shift",
        "BTCHW",
        "shift found {\n    edge zeros\n    1/8 earlier 1\n    1/8 later 1\n"
        "    3/4 stay\n}",
    ),
    (
        "woven",
        "BHWC",
        "shift found {\n    edge circular\n    interleave\n    1/4 left 1\n"
        "    1/4 stay\n    1/4 right 1\n    1/4 right 2\n}",
    ),
]


@pytest.mark.parametrize(("name", "layout", "declaration"), RIGHT)
def test_a_shift_is_declared(name: str, layout: str, declaration: str) -> None:
    found = tried(name)
    assert found.is_shift, found.report()
    assert found.found["layout"] == layout
    assert found.found["eager"]["declaration"] == declaration
    if "T" not in layout:  # what is printed is a shift of the language
        text = f"edition 1\n{declaration}\nmodel m {{\n    image(16, 6, 7)\n"
        assert elaborate(f"{text}    shift(found)\n}}\n").analysis.macs == 0


def test_in_place_cascades_in_eager_mode_alone() -> None:
    found = tried("InPlace", "BHWC")
    assert not found.is_shift
    said = [one["what"] for one in found.found["eager"]["groups"]]
    assert said == [
        "cascades: every column is column 0",
        "left 1 (keep or replicate)",
        "cascades: every row is row 0",
        "up 1 (keep or replicate)",
    ]
    assert found.found["eager"]["overwrites"]
    assert found.found["compiled"]["declaration"] == CROSS
    assert "eager and compiled code do different things" in found.report()


def test_channels_first_misuse_is_a_shift_of_another_layout() -> None:
    found = tried("ChannelsFirst", "BCHW")
    assert not found.is_shift
    assert found.found["elsewhere"]["layout"] == "BHWC"
    assert "It is a shift of a BHWC map instead" in found.report()
    assert CROSS in found.report()


def test_a_wrong_crop_moves_nothing() -> None:
    found = tried("WrongCrop")
    assert not found.is_shift
    assert found.report().endswith("nothing moves")


def test_a_gradient_of_something_else() -> None:
    found = tried("BlindGradient", "BHWC")
    assert found.found["eager"]["declaration"] == CROSS
    assert not found.is_shift
    assert "gradients are of another movement" in found.report()


@pytest.mark.parametrize("name", ["blurred", "rectified"])
def test_what_computes_is_no_shift(name: str) -> None:
    found = tried(name, "BHWC")
    assert not found.is_shift
    assert "computes values that were not in the map" in found.report()


def test_what_cannot_be_judged(tmp_path: Path) -> None:
    with pytest.raises(AuditFailed, match="has no `nothing`") as missing:
        audit(OTHERS, "nothing")
    assert missing.value.exit_code == 2
    assert "needs width" in tried("NeedsArguments").found["missing"]
    for text, said in (
        ("import nowhere_at_all", "cannot be imported: ModuleNotFoundError"),
        ("import os; os._exit(7)", "ended its process"),
    ):
        (tmp_path / "broken.py").write_text(text)
        with pytest.raises(AuditFailed, match=said) as broken:
            audit(tmp_path / "broken.py", "x")
        assert broken.value.exit_code == 4


def test_the_command(tmp_path: Path) -> None:
    """With the real compiler; the code runs in another process and may print.

    Of clone + slice assignment torch 2.11 cannot compile the gradient on a CPU, which
    `audit` then says; a roll compiles everywhere.
    """
    shutil.copy(OTHERS, tmp_path / "theirs.py")
    with (tmp_path / "theirs.py").open("a") as file:
        file.write("\nprint('hello')\n")
    done = s2mlp("audit", "theirs.py:rolled", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(f"{ROLLED}\n")
    words = ["theirs.py:InPlace", "--layout", "BHWC", "--format", "json"]
    done = s2mlp("audit", *words, "--backend", "aot_eager", cwd=tmp_path)
    assert done.returncode == 1
    assert json.loads(done.stdout)["shift"] is False
    assert s2mlp("audit", "theirs.py", cwd=tmp_path).returncode == 2
    assert s2mlp("audit", "other.py:x", cwd=tmp_path).returncode == 2


@pytest.mark.parametrize("size", [(6, 7, 16), (7, 6, 16), (6, 6, 16)])
@pytest.mark.parametrize("name", ["rolled_where_wide", "rolled_where_tall"])
def test_wide_and_tall_maps_are_tried(name: str, size: tuple[int, int, int]) -> None:
    found = examined(OTHERS, name, "BHWC", size, "aot_eager")
    assert found["eager"]["declaration"] is None


NOISE = {
    "prints": r"""
import atexit, os
os.write(1, b"\xff\xfe\0\x80")
os.write(2, b"\xff\xfe\0\x80")
atexit.register(lambda: 1 / 0)
atexit.register(os.write, 1, b"\xff\0")
atexit.register(print, "bye")
atexit.register(print, "{}", end="")
""",
    "closes its output": "import sys\nsys.stdout.close()\nsys.stdout = None\n",
}


@pytest.mark.parametrize("noise", NOISE.values(), ids=NOISE)
def test_what_the_code_prints_is_passed_over(noise: str, tmp_path: Path) -> None:
    code = tmp_path / "code.py"
    text = OTHERS.read_text(encoding="utf-8")
    code.write_text(f"{text}\n{noise}", encoding="utf-8")
    found = audit(code, "rolled", layout="BCHW", backend="eager")
    assert found.found["eager"]["declaration"] == ROLLED
