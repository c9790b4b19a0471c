"""Every code teaches with two examples, and both are run."""

from collections.abc import Callable
from itertools import takewhile
from pathlib import Path

import pytest

from s2mlp_dsl.diagnostics import CODES, render_text
from tests.diagnostics.examples import check_files, example

GOLDEN = Path(__file__).parent / "golden"
TEXTS = Path(__file__).parents[2] / "s2mlp_dsl" / "diagnostics" / "texts"
ALL = sorted(CODES)


def test_there_are_many() -> None:
    assert len(ALL) >= 25


def test_every_text_has_its_code() -> None:
    assert sorted(path.stem for path in TEXTS.iterdir()) == ALL
    assert sorted(path.stem for path in GOLDEN.iterdir()) == ALL


@pytest.mark.parametrize("code", ALL)
def test_wrong_raises_exactly_it(
    code: str, tmp_path: Path, golden: Callable[[Path, str], None]
) -> None:
    one = example(code)
    found = check_files(tmp_path / "project", one.wrong, one.given)
    assert [diagnostic.code.number for diagnostic in found] == [code]
    golden(GOLDEN / f"{code}.txt", render_text(found[0]) + "\n")


@pytest.mark.parametrize("code", ALL)
def test_right_raises_nothing(code: str, tmp_path: Path) -> None:
    one = example(code)
    assert check_files(tmp_path / "project", one.right, one.given) == []


@pytest.mark.parametrize("code", ALL)
def test_they_differ_by_one_edit(code: str) -> None:
    one = example(code)
    wrong, right = one.wrong.text, one.right.text
    if wrong == right:
        assert one.wrong.how != one.right.how
        return
    assert one.wrong.how == one.right.how
    start = _shared(wrong, right)
    wrong, right = wrong[start:], right[start:]
    end = _shared(wrong[::-1], right[::-1])
    for middle in (wrong, right):
        assert "\n" not in middle[: len(middle) - end].strip()


def _shared(one: str, other: str) -> int:
    """How many characters at the beginning are the same."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


@pytest.mark.parametrize("code", ALL)
def test_golden_speaks_plainly(code: str) -> None:
    text = (GOLDEN / f"{code}.txt").read_text(encoding="utf-8")
    for foreign in ("__ANON", "_NL", "$END", "NAME", "NUMBER", "Token", "RPAR", "None"):
        assert foreign not in text
    assert all(line == line.rstrip() for line in text.splitlines())
