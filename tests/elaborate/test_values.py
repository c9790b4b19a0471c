"""Arithmetic is exact."""

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from s2mlp_dsl.diagnostics import Report
from s2mlp_dsl.elaborate.evaluate import Evaluator
from s2mlp_dsl.elaborate.numbers import half_last_digit
from s2mlp_dsl.elaborate.values import Env, Value
from s2mlp_dsl.frontend import parse_expression, tree
from s2mlp_dsl.source import Source
from tests.checking import spec_of


def value(text: str, **names: Value) -> Value:
    report = Report()
    node = parse_expression(Source("value", text), report)
    unit = spec_of("edition 1\nlet four = 4\nlet twelve = 3 * four\n").unit
    result = Evaluator(report).value(node, Env(unit, names))
    assert not report.diagnostics
    return result


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1_000", 1000),
        ("51M", 51 * 10**6),
        ("51Mi", 51 * 2**20),
        ("1.5Ki", 1536),
        ("10.5G", 10_500_000_000),
        ("2T", 2 * 10**12),
        ("25%", Fraction(1, 4)),
        ("2e-3", Fraction(1, 500)),
        ("1/4", Fraction(1, 4)),
        ("8 / 4", 2),
        ("1/3 + 1/6", Fraction(1, 2)),
        ("2 - 3 * 4", -10),
        ("(2 - 3) * 4", -4),
        ("--2", 2),
        ("12 / 2 / 3", 2),
        ("1 - 2 - 3", -4),
        ("floor(7 / 2)", 3),
        ("ceil(7 / 2)", 4),
        ("floor(-7 / 2)", -4),
        ("mod(7, 3)", 1),
        ("mod(-1, 3)", 2),
        ("min(3, 1/2, 2)", Fraction(1, 2)),
        ("max(3, 1/2, 2)", 3),
        ("choose(1 < 2, 10, 20)", 10),
        ("choose(kind == layer, 10, 1 / 0)", 10),
        ("choose(kind != layer, 1 / 0, 20)", 20),
        ("[1, [2, 3]][1][0]", 2),
        ("[1, 2,]", (1, 2)),
        ("four * twelve", 48),
        ("1/2 == 2/4", True),
        ("n >= 7", True),
        ('"text"', "text"),
    ],
)
def test_values(text: str, expected: Value) -> None:
    from s2mlp_dsl.elaborate.values import EnumValue

    found = value(text, n=7, kind=EnumValue("layer"))
    assert found == expected
    assert isinstance(found, int) == isinstance(expected, int)


numbers = st.integers(-99, 99)


@given(numbers, numbers, numbers, st.sampled_from("+-*/"), st.sampled_from("+-*/"))
def test_as_python_reckons(a: int, b: int, c: int, one: str, two: str) -> None:
    text = f"({a}) {one} ({b}) {two} ({c})"
    python = " ".join(f"F({part})" if part[0] == "(" else part for part in text.split())
    try:
        expected = eval(python, {"F": Fraction})
    except ZeroDivisionError:
        assume(False)
    assert value(text) == expected


@pytest.mark.parametrize(
    ("lexeme", "half"),
    [
        ("51M", 500_000),
        ("51Mi", 2**19),
        ("10.5G", 50_000_000),
        ("14.0G", 50_000_000),
        ("7", Fraction(1, 2)),
        ("1e3", 500),
        ("2.50%", Fraction(1, 20_000)),
        ("1_000", Fraction(1, 2)),
    ],
)
def test_half_a_unit_of_the_last_digit(lexeme: str, half: Fraction) -> None:
    report = Report()
    node = parse_expression(Source("value", lexeme), report)
    assert isinstance(node, tree.Number)
    assert half_last_digit(node, report) == half


def test_a_default_sees_the_parameters_before_it() -> None:
    from tests.checking import model_of

    head = "edition 1\nblock b(n, m = 2 * n, k = n + m) {\n    linear(k)\n}\n"
    model = model_of(head + "model x {\n    image(3, 1, 1)\n    b(5)\n}\n")
    assert model.result.channels == 15
    model = model_of(head + "model x {\n    image(3, 1, 1)\n    b(5, k = 7)\n}\n")
    assert model.result.channels == 7
