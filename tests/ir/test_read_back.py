"""What is printed elaborates to an equal program, whatever names and numbers it has."""

import random

import pytest

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.diagnostics import SpecError
from s2mlp_dsl.frontend import keywords
from s2mlp_dsl.operators import OPERATORS

CHOICES = {
    choice
    for name in OPERATORS.built_in
    for parameter in OPERATORS.get(name).parameters
    for choice in parameter.choices
}
NAMES = sorted({*CHOICES, *keywords(), *OPERATORS.built_in, "_", "yes", "none", "x1"})
BODY = """block BLOCK {
    residual {
        norm(layer)
        linear(dim, bias = on)
        shift(SHIFT)
        depthwise(3, edge = zeros)
    }
    parallel(copy, merge = sum) {
        branch { norm(batch) }
        branch { pad(y, multiple = 3, edge = replicate) { norm(group, groups = 2) } }
    }
}

shift SHIFT {
    edge keep
    1/4 right
    rest left 2
}
"""
MODEL = """model MODEL {
    image(1, 8, 8)
    patch(2, 16)
    stack 2 {
        BLOCK
    }
    pool(mean)
    head: linear(10)
}
"""


def reads_back(text: str) -> bool:
    """False where the text itself is refused."""
    try:
        program = elaborate(text)
    except SpecError:
        return False
    again = elaborate(program.text)
    assert again.text == program.text
    assert again.function_hash == program.function_hash
    assert again.weight_hash == program.weight_hash
    return True


@pytest.mark.parametrize("name", NAMES)
def test_a_model_of_any_name(name: str) -> None:
    text = f"edition 1\n{BODY}{MODEL}".replace("BLOCK", "b").replace("SHIFT", "s")
    allowed = reads_back(text.replace("MODEL", name))
    taken = {*keywords(), *OPERATORS.built_in, "none", "b", "s", "max"}
    assert allowed == (name not in taken)


def test_any_names() -> None:
    chance, accepted = random.Random(3), 0
    for _ in range(60):
        text = f"edition 1\n{BODY}{MODEL}"
        for word in ("BLOCK", "SHIFT", "MODEL"):
            text = text.replace(word, chance.choice(NAMES))
        accepted += reads_back(text)
    assert accepted


def a_number(chance: random.Random) -> str:
    digits = "".join(chance.choices("0123456789", k=chance.choice([1, 2, 9, 29, 60])))
    return chance.choice(
        [
            digits,
            f"{digits}/{chance.randint(1, 10**9)}",
            f"{digits[:20]}e{chance.randint(-60, 60)}",
            f"0.{digits[:30]}e{chance.randint(-40, 40)}",
            f"{digits[:3]}{chance.choice(['K', 'Mi', 'G', 'T', '%'])}",
            f"1e59/{digits}",
            f"-{digits}/7e{chance.randint(0, 58)}",
        ]
    )


def test_any_number() -> None:
    chance, accepted = random.Random(8), 0
    for _ in range(300):
        number = a_number(chance)
        accepted += reads_back(
            f"edition 1\nmodel m {{\nimage(1, 3, 3)\nscale({number})\n"
            f"depthwise(1, fixed = [[{number}]])\nnorm(layer, eps = 1e-3)\n}}\n"
        )
    assert accepted > 60


@pytest.mark.parametrize(
    "number", ["9" * 37, "1" + "0" * 36, "9" * 30 + "/" + "7" * 60]
)
def test_numbers_of_many_digits(number: str) -> None:
    assert reads_back(f"edition 1\nmodel m {{\nimage(1, 3, 3)\nscale({number})\n}}\n")


def test_the_longest_number() -> None:
    """60 digits, with an exponent or without."""
    for number in ("1e59", "1" + "0" * 59, "9" * 60):
        assert reads_back(
            f"edition 1\nlet long = {number}\n"
            f"model m {{\nimage(1, 3, 3)\nscale(long / {number})\n}}\n"
        )
