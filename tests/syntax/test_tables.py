"""The shipped parser tables are those of the grammar beside them."""

import json
from pathlib import Path

import pytest

from s2mlp_dsl.diagnostics import Report
from s2mlp_dsl.shipped import shipped
from s2mlp_dsl.source import Source
from s2mlp_dsl.syntax import grammar, parse
from s2mlp_dsl.syntax.tables import FILE, make_tables, read_tables

SPECS = Path(__file__).parents[2] / "specs"


def test_tables_are_current() -> None:
    text = grammar.grammar_text()
    assert read_tables(text) is not None, "run `python -m s2mlp_dsl.syntax`"
    fresh = json.loads(make_tables(grammar.make_parser(), text))
    stored = json.loads(shipped(FILE).read_text())
    assert fresh["made_from"] == stored["made_from"]
    states = "parser", "parser", "states"
    for key in states:
        fresh["data"], stored["data"] = fresh["data"][key], stored["data"][key]
    assert len(fresh["data"]) == len(stored["data"])


def test_tables_of_another_grammar_are_not_used() -> None:
    assert read_tables(grammar.grammar_text() + "\n") is None


def test_both_parsers_read_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = [Source(path.name, path.read_text()) for path in SPECS.glob("*.arch")]
    by_tables = [parse(source, Report()) for source in sources]
    monkeypatch.setattr(grammar, "read_tables", lambda text: None)
    grammar.parser.cache_clear()
    assert [parse(source, Report()) for source in sources] == by_tables
    grammar.parser.cache_clear()
