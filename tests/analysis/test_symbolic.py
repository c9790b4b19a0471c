"""Formulas: the paper's, and no others than the model's own figures."""

import json
import random
from fractions import Fraction
from pathlib import Path

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from s2mlp_dsl.analysis.laurent import (
    Formula,
    evaluate,
    in_terms_of,
    plus,
    powers_along,
    solve,
    times,
)
from s2mlp_dsl.analysis.symbolic import MOST_STEPS, NoFormula, Symbolic, symbolic
from s2mlp_dsl.elaborate.evaluate import Steps
from s2mlp_dsl.elaborate.spec import ChoiceError
from s2mlp_dsl.shipped import shipped
from tests.checking import spec_of
from tests.cli.running import s2mlp

FAMILY = shipped("specs/s2mlp.arch")
c, n, r, p, k, s = sympy.symbols("width depth ratio patch classes size")
M = (s / p) ** 2
X_BLOCK = ("linear1", "linear2", "linear3", "linear4")


def formulas(text: str, **given: str) -> Symbolic:
    spec = spec_of(text)
    return symbolic(spec, spec.choose_model(None), given)


@pytest.fixture(scope="module")
def family() -> dict[str, dict[str, sympy.Expr]]:
    """What the command prints as data, read by sympy: figures by statement."""
    run = s2mlp("check", FAMILY, "--symbolic", "--format", "json")
    assert run.returncode == 0, run.stderr
    (model,) = json.loads(run.stdout)["models"]
    assert model["parameters"] == [
        "width",
        "depth",
        "ratio",
        "patch",
        "classes",
        "size",
    ]
    rows = [{**model, "path": "all", "count": "1"}, *model["statements"]]
    rows.append({**rows[0], "path": "positions", "params": model["positions"]})
    return {
        row["path"].removeprefix("stack.*."): {
            what: sympy.sympify(row[what]) for what in ("count", "params", "macs")
        }
        for row in rows
    }


def same(one: sympy.Expr, other: sympy.Expr) -> bool:
    return bool(sympy.simplify(one - other) == 0)


def test_the_block_is_the_papers(family: dict[str, dict[str, sympy.Expr]]) -> None:
    """c^2 (2r + 2) + c (3 + r) parameters without norms, M c^2 (2r + 2) MACs."""
    linear = [family[name] for name in X_BLOCK]
    assert same(sum(one["params"] for one in linear), c**2 * (2 * r + 2) + c * (3 + r))
    assert same(sum(one["macs"] for one in linear), M * c**2 * (2 * r + 2))
    assert all(one["count"] == n for one in linear)
    assert same(family["positions"]["params"], M)


def test_the_stem_is_the_papers(family: dict[str, dict[str, sympy.Expr]]) -> None:
    assert same(family["stem"]["params"], (3 * p**2 + 1) * c)
    assert same(family["stem"]["macs"], 3 * M * c * p**2)


def test_the_papers_classifier_is_wrong(
    family: dict[str, dict[str, sympy.Expr]],
) -> None:
    """Pooling comes first: c k, not the M c k that the paper prints."""
    assert same(family["head"]["params"], (c + 1) * k)
    assert same(family["head"]["macs"], c * k)
    assert not same(family["head"]["macs"], M * c * k)


def test_the_command_prints_the_papers_form() -> None:
    run = s2mlp("check", FAMILY, "--symbolic")
    assert (
        "width²·(2·ratio + 2) + width·(ratio + 3)  M·width²·(2·ratio + 2)" in run.stdout
    )
    assert "M = size²/patch², the positions of the first map" in run.stdout
    (head,) = [line for line in run.stdout.splitlines() if " head " in line]
    assert head.split()[1:] == ["classes·(width", "+", "1)", "width·classes"]


def test_totals_at_other_points() -> None:
    """The paper's models are no points of the fit."""
    spec = spec_of(FAMILY.read_text())
    found = symbolic(spec, spec.choose_model(None), {})
    for width, depth, size in ((384, 36, 224), (768, 12, 448)):
        at = {"width": width, "depth": depth, "ratio": 4, "patch": 16}
        point = {**at, "classes": 1000, "size": size}
        settings = {name: str(value) for name, value in point.items()}
        model = spec.expand(spec.choose_model(None), settings)
        from s2mlp_dsl.analysis.analyze import analyze_model

        analysis = analyze_model(model)
        params: Formula = {}
        macs: Formula = {}
        for row in found.rows:
            params = plus(params, times(row.count, row.params))
            macs = plus(macs, times(row.count, row.macs))
        assert evaluate(params, found.names, point) == analysis.params
        assert evaluate(macs, found.names, point) == analysis.macs


def model(body: str, params: str = "w, n") -> str:
    return f"edition 1\nmodel m({params}) {{\n    image(3, 8, 8)\n{body}\n}}\n"


@pytest.mark.parametrize(
    "text",
    [
        model("linear(w)\nstack n {\nlinear(2 * dim)\n}"),  # 2^n
        model("linear(choose(w < 20, w, 2 * w))\nstack n { gelu }"),
        model("linear(floor(w / 2))\nstack n { gelu }"),
        model("linear(w)\nstack n as i {\nlinear(w + mod(i, 2))\n}"),
    ],
)
def test_where_there_is_none(text: str) -> None:
    with pytest.raises(NoFormula):
        formulas(text)


def test_parameters_that_are_given_stay() -> None:
    text = model("linear(w)\nlinear(v)", "w, v = 2 * w, kind: enum = layer")
    found = formulas(text)
    assert found.names == ("w",)
    assert found.fixed == {"v": "2 * w", "kind": "layer"}
    assert found.rows[2].params == {(2,): Fraction(2), (1,): Fraction(2)}
    assert formulas(text, v="5").rows[2].params == {
        (1,): Fraction(5),
        (0,): Fraction(5),
    }


def test_a_model_without_a_point() -> None:
    with pytest.raises(ChoiceError, match="--set"):
        formulas(model("linear(w)\nnorm(kind)", "w, kind: enum"))


def test_a_model_without_parameters(tmp_path: Path) -> None:
    path = tmp_path / "x.arch"
    path.write_text("edition 1\nmodel m {\n    image(3, 8, 8)\n    linear(5)\n}\n")
    said = s2mlp("check", path, "--symbolic").stdout
    assert said.startswith("m\n")
    assert "  params  20\n  MACs    960\n" in said


def test_mistakes_come_first(tmp_path: Path) -> None:
    path = tmp_path / "x.arch"
    path.write_text(model("linear(w)\nfoo"))
    run = s2mlp("check", path, "--symbolic")
    assert run.returncode == 1 and "error[A0302]" in run.stderr


sums = st.dictionaries(
    st.tuples(st.integers(-2, 3), st.integers(-1, 2)),
    st.fractions(-9, 9, max_denominator=4).filter(bool),
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(sums, sums)
def test_what_is_fitted_is_what_it_was(one: Formula, other: Formula) -> None:
    """A sum of monomials is found again from its values alone."""
    names = ("x", "y")
    scale = 4**2 * 3**2  # values need not be whole numbers, but fits take any
    total = plus(one, other)
    chance = random.Random(1)
    across = [{"x": x, "y": 7} for x in range(2, 13)]
    upward = [{"x": 5, "y": y} for y in range(2, 13)]
    anywhere = [{v: chance.randint(2, 40) for v in names} for _ in range(60)]

    def figures(points: list[dict[str, int]]) -> list[Fraction]:
        return [evaluate(total, names, at) * scale for at in points]

    along = [
        powers_along([(at[v], y) for at, y in zip(line, figures(line), strict=True)])
        for v, line in zip(names, (across, upward), strict=True)
    ]
    assert all(one is not None for one in along)
    samples = zip(anywhere, figures(anywhere), strict=True)
    formula = solve([one or [0] for one in along], names, samples)
    # Factors may cancel along one line, and then no sum fits: never a wrong one.
    assert formula is None or formula == {key: v * scale for key, v in total.items()}


@given(sums, sums)
def test_algebra(one: Formula, other: Formula) -> None:
    names, point = ("x", "y"), {"x": 6, "y": 4}
    a, b = evaluate(one, names, point), evaluate(other, names, point)
    assert evaluate(plus(one, other), names, point) == a + b
    assert evaluate(times(one, other), names, point) == a * b
    spread = in_terms_of(one, (2, -1))  # M = x² / y
    assert evaluate(spread, (*names, "M"), {**point, "M": 9}) == a


def test_points_are_bounded_by_steps() -> None:
    body = "linear(8)\n" * 1000
    text = f"edition 1\nmodel m(n = 3) {{\nimage(n, 8, 8)\n{body}}}\n"
    with pytest.raises(NoFormula, match="too many statements"):
        formulas(text)


def test_models_of_a_spec_are_bounded_together() -> None:
    spec = spec_of("edition 1\nmodel m(n = 3) {\nimage(n, 8, 8)\nlinear(8)\n}\n")
    spent = Steps(MOST_STEPS + 1)
    with pytest.raises(NoFormula, match="--model"):
        symbolic(spec, spec.choose_model(None), {}, spent)
