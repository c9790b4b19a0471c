"""The grammar itself."""

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib.util import cache_from_source
from pathlib import Path

import lark.lark
import pytest
from lark import Lark

from s2mlp_dsl.diagnostics import Report
from s2mlp_dsl.frontend import grammar, keywords, parse, tree
from s2mlp_dsl.frontend.build import reading
from s2mlp_dsl.frontend.grammar import (
    CACHE,
    NUMBER,
    build,
    declaring,
    directions,
    pattern,
)
from s2mlp_dsl.ir.program import DIRECTIONS
from s2mlp_dsl.shipped import shipped
from s2mlp_dsl.source import Source


def test_strict_lalr() -> None:
    """No conflict between rules, and no two terminals match the same text."""
    build(strict=True)


def test_cache_is_beside_the_bytecode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in the temporary folder, as Lark would have it: it is a pickle."""
    assert CACHE.parent == Path(cache_from_source(grammar.__file__)).parent
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(grammar, "CACHE", tmp_path / "beside" / "grammar.lark")
    assert reads(build(cache=True))  # the folder is missing: nothing is kept
    assert not list(tmp_path.iterdir())


def test_cache_is_used_where_it_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grammar, "CACHE", tmp_path / "grammar.lark")
    assert reads(build(cache=True))
    kept = grammar.CACHE.read_bytes()
    monkeypatch.setattr(lark.lark, "load_grammar", None)
    assert reads(build(cache=True))
    monkeypatch.undo()
    monkeypatch.setattr(grammar, "CACHE", tmp_path / "grammar.lark")
    for wrong in (b"", kept[:1000], b"0" + kept[1:]):
        grammar.CACHE.write_bytes(wrong)
        assert reads(build(cache=True))
        assert grammar.CACHE.read_bytes()[:65] == kept[:65]


def reads(made: Lark) -> bool:
    with reading(Source("a.arch", text := "edition 1")):
        (edition,) = made.parse(text, "start")
    return isinstance(edition, tree.Edition) and edition.number.lexeme == "1"


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
