"""Numbers that no model can have are refused where they are written."""

import pytest

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.diagnostics import SpecError

HUGE = ("1e12", "1e20", "9_223_372_036_854_775_808", "1e59")
STATEMENTS = (
    "conv(8, 3, stride = {})",
    "conv(8, 3, pad = {})",
    "conv(8, {})",
    "depthwise(3, stride = {})",
    "pool(mean, size = 2, stride = {})",
    "pool(max, size = {})",
    "pool(max, size = 3, pad = {})",
    "crop(y, {})",
    "extend(y, {}, zeros)",
    "attention({})",
    "norm(group, groups = {})",
    "norm(layer, eps = -{})",
    "patch({}, 4)",
    "linear({})",
    "stack {} {{\ngelu\n}}",
    "pad(y, multiple = {}, edge = zeros) {{\nlinear(4)\n}}",
    "parallel(copy, merge = split_attention(hidden = {})) {{\nbranch {{ }}\n}}",
)
SHIFTS = (
    "each right 0 .. {}",
    "each right -{} .. {}",
    "each down {} .. {}",
    "each left [{}, 1, 2, 3]",
    "each left [1, 2, 3, -{}]",
    "1/2 right {}\nrest stay",
    "1/2 up -{}\nrest stay",
)


def refused(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        elaborate(text)
    return caught.value.diagnostics[0].code.number


@pytest.mark.parametrize("number", HUGE)
@pytest.mark.parametrize("statement", STATEMENTS)
def test_arguments(statement: str, number: str) -> None:
    body = statement.format(number, number)
    refused(f"edition 1\nmodel m {{\nimage(4, 8, 8)\n{body}\n}}\n")


@pytest.mark.parametrize("number", HUGE)
@pytest.mark.parametrize("item", SHIFTS)
def test_displacements(item: str, number: str) -> None:
    shift = f"shift far {{\nedge keep\n{item.format(number, number)}\n}}\n"
    code = refused(f"edition 1\n{shift}model m {{\nimage(4, 8, 8)\nshift(far)\n}}\n")
    assert code in ("A0406", "A0810")


@pytest.mark.parametrize("number", ["1e39", "-1e50", "1e-40", "-1/1e45"])
def test_numbers_that_float32_has_not(number: str) -> None:
    text = f"edition 1\nmodel m {{\nimage(4, 8, 8)\nscale({number})\n}}\n"
    assert refused(text) == "A0405"


@pytest.mark.parametrize("number", ["1e38", "-1e38", "1e-37", "0"])
def test_numbers_that_float32_has(number: str) -> None:
    text = f"edition 1\nmodel m {{\nimage(4, 8, 8)\nscale({number})\n}}\n"
    weight = elaborate(text).build().scale.weight
    assert weight.isfinite().all() and bool(weight.any()) == (number != "0")
