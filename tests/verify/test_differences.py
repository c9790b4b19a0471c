"""The gradients that all forms are held to, against differences of the reference."""

import numpy as np
import pytest

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.verify import agreement

# Thousands of kinks: some lie between the two ends of a difference.
KINKED = """edition 1

model kinked {
    image(3, 32, 32)
    patch(2, 64)
    stack 4 {
        residual {
            linear(64)
            relu
            linear(64)
        }
    }
    pool(mean)
    head: linear(10)
}
"""


@pytest.fixture(scope="module")
def case() -> agreement.Case:
    case, check = agreement._case(elaborate(KINKED), seed=0)
    assert check.passed
    return case


def test_a_kink_between_the_ends_is_no_wrong_gradient(
    case: agreement.Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agreement, "STEPS", agreement.STEPS[:1])
    one = agreement._differences(case, np.random.default_rng(1))
    assert one.worst > agreement.DIFFERENCES
    monkeypatch.undo()
    assert agreement._differences(case, np.random.default_rng(1)).passed


def test_a_wrong_gradient_is_wrong_at_every_step(case: agreement.Case) -> None:
    name = "head.weight"
    wrong = case.gradients | {name: case.gradients[name] * 1.01}
    found = agreement._differences(
        agreement.Case(**vars(case) | {"gradients": wrong}), np.random.default_rng(1)
    )
    assert not found.passed and found.worst > 10 * agreement.DIFFERENCES
