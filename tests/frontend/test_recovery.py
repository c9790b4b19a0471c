"""One cause, one error; and reading goes on after it."""

import time

import pytest

from s2mlp_dsl.bounds import limits
from s2mlp_dsl.diagnostics import Report
from s2mlp_dsl.frontend import parse, parse_expression, tree
from s2mlp_dsl.frontend.parse import MAX_ERRORS
from s2mlp_dsl.source import Source
from tests.frontend.reading import faults

GOOD = "block last { gelu }\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # a word that is nearly the right one
        ("modle m {\n gelu\n linear(3)\n}\n", [("A0101", "modle")]),
        ("model m {\n residul {\n gelu\n }\n}\n", [("A0101", "residul")]),
        # brackets left open, closed twice, crossed
        ("model m {\n linear(3\n gelu\n}\n", [("A0105", "(")]),
        ("model m {\n linear(3 }\n", [("A0105", "(")]),
        ("model m {\n linear(3]\n gelu\n}\n", [("A0105", "(")]),
        ("model m {\n linear(3))\n gelu\n}\n", [("A0106", ")")]),
        ("model m {\n gelu\n}\n}\n", [("A0106", "}")]),
        ("model m {\n residual {\n gelu\n}\n\n", [("A0105", "{")]),
        ("let a = (1\n", [("A0105", "(")]),
        ("let a = [1, 2\nlet b = 3\n", [("A0105", "[")]),
        # a brace on its own line
        ("model m\n{\n gelu\n}\n", [("A0101", "\n")]),
        # a mistake inside brackets that run over lines
        ("model m {\n linear(\n  3 4,\n  bias = off\n )\n gelu\n}\n", [("A0101", "4")]),
        # the end of a statement is missing
        ("model m {\n stack }\n", [("A0101", "}")]),
        ("model m {\n linear(,)\n gelu\n}\n", [("A0101", ",")]),
        # other languages
        ("model m {\n // a comment (\n gelu\n}\n", [("A0101", "/")]),
        ("let a = 'x'\n", [("A0104", "'")]),
        ("let a = 1;\n", [("A0104", ";")]),
        ("claim m {\n params() = 3\n}\n", [("A0109", "=")]),
        ("recipe r {\n epochs == 3\n}\n", [("A0101", "=")]),
        ("model m(a: 3) {\n gelu\n}\n", [("A0101", "3")]),
        ("model m {\n stack 2 { gelu }\n then 2 { gelu }\n}\n", [("A0101", "2")]),
        # texts
        ('let a = "b\n', [("A0107", '"b')]),
        ("import a from x.arch\n", [("A0101", "x")]),
        # three mistakes, three errors
        (
            "let a = 1 2\nmodel m {\n linear(3\n gelu\n}\nclaim m {\n a = 1\n}\n",
            [("A0101", "2"), ("A0105", "("), ("A0109", "=")],
        ),
    ],
)
def test_one_cause_one_error(text: str, found: list[tuple[str, str]]) -> None:
    assert faults("edition 1\n" + text + GOOD) == found
    report = Report()
    file = parse(Source("spec.arch", "edition 1\n" + text + GOOD), report)
    last = file.declarations[-1]
    assert isinstance(last, tree.Block) and last.name.id == "last"


def test_unclosed_at_the_end() -> None:
    assert faults("model m {\n gelu\n") == [("A0105", "{")]
    assert faults("model m {\n linear(3") == [("A0105", "(")]


def test_description_that_never_ends() -> None:
    assert faults('"""abc\nmodel m {\n gelu\n}\n') == [("A0107", '"""')]


def test_the_text_ends_too_early() -> None:
    (code, text), *more = faults("edition 1\nmodel m")
    assert (code, text, more) == ("A0101", "", [])


def test_something_else_than_a_spec() -> None:
    """Reading stops after so many mistakes, and says so."""
    report = Report()
    file = parse(Source("spec.arch", "edition 1\nmodel m {\n" + "@\n" * 5000), report)
    assert len(report.diagnostics) == MAX_ERRORS
    assert "not checked" in report.diagnostics[-1].notes[0]
    assert len(file.declarations) == 1


@pytest.mark.parametrize(
    "text",
    [
        "let a = " + "(" * 5000 + "1" + ")" * 5000,
        "let a = " + "[" * 5000 + "]" * 5000,
        "let a = " + "-" * 20_000 + "1",
        "let a = " + "1+" * 20_000 + "1",
        "let a = b" + "[0]" * 20_000,
        "model m { " + "residual { " * 5000 + "gelu" + " }" * 5000 + " }",
        "model m { " + "residual { " * 5000,
        "{" * 100_000,
        "(" * 100_000,
        "model m {\n" * 10_000,
        '"""' * 3333,
    ],
)
def test_depth_is_bounded(text: str) -> None:
    start = time.process_time()
    found = faults(text)
    assert time.process_time() - start < 1
    assert 1 <= len(found) <= MAX_ERRORS


def test_the_last_level_is_allowed() -> None:
    assert faults("let a = " + "(" * 63 + "1" + ")" * 63) == []
    assert limits().nesting == 64


def test_damage_hides_only_its_own_names() -> None:
    report = Report()
    text = "edition 1\nlet a = = 3\nmodel m { linear(a) }\n"
    file = parse(Source("spec.arch", text), report)
    assert "a" in file.lost
    assert "m" not in file.lost


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "A0101"),
        ("1 +", "A0101"),
        ("1 2", "A0101"),
        ("1)", "A0101"),
        ("1\n", "A0101"),
        ('"x', "A0107"),
        ("\u00e9", "A0104"),
        ("(" * 3000 + "1" + ")" * 3000, "A0110"),
    ],
)
def test_expressions_of_the_command_line(text: str, code: str) -> None:
    from s2mlp_dsl.diagnostics import AlreadyReported

    report = Report()
    with pytest.raises(AlreadyReported):
        parse_expression(Source("--set x", text), report)
    assert [one.code.number for one in report] == [code]
