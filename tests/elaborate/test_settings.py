"""Any text as the value of `--set`: a value, or an error of the spec's own."""

import random
from contextlib import suppress

import pytest

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.diagnostics import SpecError
from s2mlp_dsl.elaborate.spec import ChoiceError, load

SPEC = "edition 1\nmodel m(width = 4) {\nimage(1, 3, 3)\nlinear(width)\n}\n"
TOKENS = [*"()[]{}+-*/,=:%#$é \n\t\0", "..", '"a"', '"""', "==", "~=", "1", "2e5"]
TOKENS += ["width", "layer", "mod(7, 4)", "right", "edition", "model", "yes", "9" * 70]


@pytest.mark.parametrize(
    "value", ["4)", ")", "]", "(4))", "[4]]", "4}", "max(4))", "4]"]
)
def test_a_closing_bracket_too_many(value: str) -> None:
    with pytest.raises(SpecError) as caught:
        elaborate(SPEC, settings={"width": value})
    assert caught.value.diagnostics[0].code.number in ("A0101", "A0103")


def test_random_values() -> None:
    chance, spec = random.Random(1), load(SPEC, "spec.arch")
    model, taken = spec.choose_model(None), 0
    for _ in range(4000):
        value = "".join(chance.choices(TOKENS, k=chance.randint(1, 8)))
        with suppress(SpecError, ChoiceError):
            spec.expand(model, {"width": value})
            taken += 1
    assert taken > 20
    assert spec.expand(model, {"width": "5"}).result.channels == 5
