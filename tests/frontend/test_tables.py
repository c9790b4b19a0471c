"""The shipped parser tables are those of the grammar, and read as Lark does."""

from pathlib import Path
from typing import Any

import pytest
from lark import Lark
from lark import Token as LarkToken
from lark.exceptions import UnexpectedToken

from s2mlp_dsl.diagnostics import Report
from s2mlp_dsl.frontend import grammar, parse
from s2mlp_dsl.frontend.automaton import Automaton, Unexpected
from s2mlp_dsl.frontend.generate import generate
from s2mlp_dsl.frontend.tables import FILE, grammar_text, read_tables, tables_text
from s2mlp_dsl.frontend.token import END, Token
from s2mlp_dsl.shipped import shipped
from s2mlp_dsl.source import Source

SPECS = Path(__file__).parents[2] / "specs"
# Wrong ones among them: what may follow is then asked on another stack.
TEXTS = [
    *((SPECS / name).read_text() for name in ("digits.arch", "s2mlp.arch")),
    "model m { stack 2 as i { a(1 + 2 * -x[1], k = [1, 2]) } then 3 { b } }\n",
    "shift s(a: enum = b) { edge keep\n each right -1 .. 1 left [1]\n interleave }\n",
    'study t of m { vary a = [1]\n case "c" m(a = 1) printed [1.5] }\n',
    "claim m { params() ~= 3M within 1% }\nrecipe r { a = (1) }\n",
    "model m { linear(3 }\nlet x = = 2\nblock b( { gelu }\n",
]


def test_tables_are_current() -> None:
    stored = shipped(FILE).read_text(encoding="utf-8")
    fresh = tables_text(generate(grammar_text()))
    assert stored == fresh, "run `python -m s2mlp_dsl.frontend`"


def test_tables_of_another_grammar_are_not_used() -> None:
    assert read_tables(grammar_text() + "\n") is None


def test_another_grammar_is_read_by_its_own_tables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A changed grammar counts at once, whatever tables are shipped."""
    changed = grammar_text().replace('"edition" NUMBER', '"edition" NAME')
    monkeypatch.setattr(grammar, "grammar_text", lambda: changed)
    grammar.tables.cache_clear()
    try:
        report = Report()
        parse(Source("a.arch", "edition one\n"), report)
        assert not report.diagnostics
        parse(Source("a.arch", "edition 1\n"), report)
        assert [one.code.number for one in report] == ["A0101"]
    finally:
        grammar.tables.cache_clear()


@pytest.mark.parametrize("text", TEXTS, ids=lambda one: one[:30])
def test_accepts_what_lark_accepts(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Token for token: what may follow, and what is refused."""
    lark = Lark(
        grammar_text(),
        parser="lalr",
        start=["start", "expr"],
        keep_all_tokens=True,
        maybe_placeholders=False,
    )
    kinds: dict[str, Any] = {
        one.name: one.pattern.value if one.pattern.type == "str" else one.name
        for one in lark.terminals
    } | {END: END}
    names = {kind: name for name, kind in kinds.items()}
    theirs = lark.parse_interactive("", start="start")
    seen = 0

    class Both(Automaton):
        def feed(self, token: Token) -> Any:
            nonlocal seen
            seen += 1
            assert self.height == len(theirs.parser_state.state_stack)
            if seen % 7 == 1:  # Lark copies all that it holds to find this out
                assert self.accepts() == {kinds[one] for one in theirs.accepts()}
            refused = False
            try:
                theirs.feed_token(LarkToken(names[token.kind], str(token)))
            except UnexpectedToken:
                refused = True
            try:
                return super().feed(token)
            except Unexpected:
                assert refused
                refused = False
                raise
            finally:
                assert not refused

        def cut(self, height: int) -> None:
            super().cut(height)
            del theirs.parser_state.state_stack[height:]
            del theirs.parser_state.value_stack[height - 1 :]

    monkeypatch.setattr("s2mlp_dsl.frontend.reader.Automaton", Both)
    parse(Source("a.arch", text), Report())
    assert seen > 10
