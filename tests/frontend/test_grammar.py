"""The grammar itself."""

import os
import subprocess
import sys
from pathlib import Path

from s2mlp_dsl.frontend import keywords
from s2mlp_dsl.frontend.generate import generate
from s2mlp_dsl.frontend.grammar import declaring
from s2mlp_dsl.frontend.tables import grammar_text
from s2mlp_dsl.shipped import shipped


def test_strict_lalr() -> None:
    """No conflict between rules, and no two terminals match the same text."""
    generate(grammar_text(), strict=True)


def test_found_in_a_checkout() -> None:
    path = shipped("grammar/arch.lark")
    assert path.is_file()
    assert path.parents[1] == Path(__file__).parents[2]


def test_found_from_another_folder(tmp_path: Path) -> None:
    (tmp_path / "a.arch").write_text("edition 1\nlet a = 1\n")
    done = subprocess.run(
        [sys.executable, "-m", "s2mlp_dsl", "check", "a.arch"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
    )
    assert done.returncode == 0


def test_operators_are_no_keywords() -> None:
    from s2mlp_dsl.operators import OPERATORS

    assert keywords() & set(OPERATORS) == {"shift"}  # which also declares


def test_words_that_declare() -> None:
    assert declaring() == {
        "edition",
        "import",
        "let",
        "shift",
        "block",
        "model",
        "claim",
        "recipe",
        "study",
    }
