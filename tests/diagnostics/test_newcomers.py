"""What somebody new to the language plausibly writes, beside what is right.

Each `NAME.wrong.arch` has one mistake, and `NAME.right.arch` is the twin that
follows the help line. `NAME.txt` is what `check` says.
"""

from collections.abc import Callable
from itertools import takewhile
from pathlib import Path

import pytest

from s2mlp_dsl.cli.fix import fix_file
from s2mlp_dsl.diagnostics import render_text
from tests.diagnostics.examples import File, check_files

FOLDER = Path(__file__).parent / "newcomers"
NAMES = sorted(path.name.split(".")[0] for path in FOLDER.glob("*.wrong.arch"))


def text(name: str, which: str) -> str:
    return (FOLDER / f"{name}.{which}.arch").read_text(encoding="utf-8")


def test_there_are_twenty() -> None:
    assert len(NAMES) >= 20


@pytest.mark.parametrize("name", NAMES)
def test_one_mistake_one_error(
    name: str, tmp_path: Path, golden: Callable[[Path, str], None]
) -> None:
    spec = File("main.arch", "", text(name, "wrong"))
    (found,) = check_files(tmp_path / "p", spec, ())
    assert found.help or found.fix
    assert found.primary.span.text or found.code.number == "A0102"
    golden(FOLDER / f"{name}.txt", render_text(found) + "\n")


@pytest.mark.parametrize("name", NAMES)
def test_its_twin_is_right(name: str, tmp_path: Path) -> None:
    spec = File("main.arch", "", text(name, "right"))
    assert check_files(tmp_path / "p", spec, ()) == []


@pytest.mark.parametrize("name", NAMES)
def test_they_differ_by_one_edit(name: str) -> None:
    """In one line, or by lines that one of them has not."""
    wrong, right = (text(name, which).splitlines() for which in ("wrong", "right"))
    start = _shared(wrong, right)
    wrong, right = wrong[start:], right[start:]
    end = _shared(wrong[::-1], right[::-1])
    assert sorted((len(wrong) - end, len(right) - end)) in ([1, 1], [0, 1], [0, 2])


def _shared(one: list[str], other: list[str]) -> int:
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


FIXED = {
    *("a_comment_as_in_c", "a_missing_brace", "a_missing_bracket", "no_edition"),
    *("a_misspelt_operator", "a_quoted_number", "a_semicolon", "tabs_and_spaces"),
    *("an_unknown_label_in_a_claim", "assignment_for_equality"),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_fix_makes_the_twin(name: str, tmp_path: Path) -> None:
    """A certain fix gives the twin, blanks apart; without one nothing changes."""
    path = tmp_path / "main.arch"
    path.write_text(text(name, "wrong"))
    result = fix_file(path)
    assert result.count == (name in FIXED)
    fixed = text(name, "right" if name in FIXED else "wrong")
    assert result.after.text.split() == fixed.split()
