"""The paper's two models, to the last parameter, and how far they see."""

from itertools import product

import pytest

from s2mlp_dsl.analysis.analyze import Analysis, analyze_model
from s2mlp_dsl.elaborate.spec import load
from s2mlp_dsl.shipped import shipped
from tests.checking import analysis_of

HEAD = {"s2mlp_wide": 768 * 1000 + 1000, "s2mlp_deep": 384 * 1000 + 1000}


def figures(name: str) -> Analysis:
    spec = load(shipped(f"specs/{name}.arch"))
    return analyze_model(spec.expand(spec.choose_model(None), {}))


@pytest.mark.parametrize(
    ("name", "bare", "with_norms"),
    [
        ("s2mlp_wide", 71_433_984, 71_472_384),
        ("s2mlp_deep", 53_476_224, 53_532_288),
    ],
)
def test_parameters(name: str, bare: int, with_norms: int) -> None:
    found = figures(name)
    assert found.params == with_norms + HEAD[name]
    norms = sum(row.total_params for row in found.rows if row.operator == "norm")
    assert with_norms - norms == bare


@pytest.mark.parametrize(
    ("name", "printed"), [("s2mlp_wide", 14.0), ("s2mlp_deep", 10.5)]
)
def test_macs(name: str, printed: float) -> None:
    found = figures(name)
    assert found.macs is not None and found.flops == 2 * found.macs
    head = HEAD[name] - 1000  # one product per weight
    assert round((found.macs - head) / 1e9, 1) == printed


def test_formula_of_a_block() -> None:
    """c²(2r + 2) + c(3 + r) parameters without norms, Mc²(2r + 2) MACs."""
    found = figures("s2mlp_deep")
    inside = [row for row in found.rows if row.path.startswith("stack")]
    c, r, positions = 384, 4, 14 * 14
    linear = [row for row in inside if row.operator == "linear"]
    assert sum(row.params for row in linear) == c**2 * (2 * r + 2) + c * (3 + r)
    assert sum(row.macs for row in linear) == positions * c**2 * (2 * r + 2)
    assert {row.count for row in inside} == {36}


def ball(height: int, width: int, radius: int) -> list[int]:
    """How many positions of the map lie within so many steps of each."""
    places = list(product(range(height), range(width)))
    return [
        sum(abs(y - v) + abs(x - u) <= radius for v, u in places) for y, x in places
    ]


@pytest.mark.parametrize(("name", "full"), [("s2mlp_wide", None), ("s2mlp_deep", 26)])
def test_receptive_field(name: str, full: int | None) -> None:
    receptive_field = figures(name).receptive_field
    assert receptive_field is not None
    assert (receptive_field.grid, receptive_field.full) == ((14, 14), full)
    for step in receptive_field.steps:
        sizes = ball(14, 14, step.iteration)
        assert (step.least, step.most) == (min(sizes), max(sizes))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 5), (3, 7), (6, 2)])
def test_receptive_field_on_other_maps(height: int, width: int) -> None:
    found = analysis_of(
        f"""edition 1
import s2mlp_block from "std:s2mlp"
model m {{
    image(4, {height}, {width})
    stack 12 {{
        s2mlp_block(ratio = 1)
    }}
}}
"""
    )
    assert found.receptive_field is not None
    assert found.receptive_field.full == max(1, height + width - 2)
    for step in found.receptive_field.steps:
        sizes = ball(height, width, step.iteration)
        assert (step.least, step.most) == (min(sizes), max(sizes))
