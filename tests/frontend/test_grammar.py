"""The grammar itself."""

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lark.lexer
import pytest

from s2mlp_dsl.diagnostics import Report
from s2mlp_dsl.frontend import keywords, parse
from s2mlp_dsl.frontend.grammar import (
    NUMBER,
    build,
    declaring,
    directions,
    parser,
    pattern,
)
from s2mlp_dsl.ir.program import DIRECTIONS
from s2mlp_dsl.shipped import shipped
from s2mlp_dsl.source import Source


def test_strict_lalr() -> None:
    """No conflict between rules, and no two terminals match the same text."""
    assert lark.lexer.has_interegular
    build(strict=True)


def test_lark_is_left_as_it_was() -> None:
    """Building the grammar turns a check of Lark's off for as long as it takes."""
    parser()
    assert lark.lexer.has_interegular


def test_built_once_and_kept_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lark's cache is a pickle in a temporary folder: we must not have one."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    build()
    assert parser() is parser()
    assert not list(tmp_path.iterdir())


def test_texts_of_two_threads() -> None:
    """The parser is shared; what it builds belongs to the text that is read."""
    texts = [f"# {n}\nlet a{n} = {'(' * n}1{')' * n}\n" * 40 for n in range(20)]
    sources = [Source(str(n), text) for n, text in enumerate(texts)]
    with ThreadPoolExecutor(4) as pool:
        files = list(pool.map(lambda source: parse(source, Report()), sources))
    for source, file in zip(sources, files, strict=True):
        assert len(file.comments) == len(file.declarations) == 40
        nodes = [*file.comments, *file.declarations]
        assert all(node.span.source is source for node in nodes)


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


def test_every_direction_has_a_meaning() -> None:
    assert directions() == set(DIRECTIONS)


def test_parts_of_a_number() -> None:
    parts = pattern(NUMBER).fullmatch("1_0.2_5e-1Ki")
    assert parts is not None
    names = ("whole", "fraction", "exponent", "suffix")
    assert [parts[name] for name in names] == ["1_0", "2_5", "-1", "Ki"]
