"""The expected gradients of all backends, against differences of the reference."""

from dataclasses import replace

import pytest

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.verify import gradients
from s2mlp_dsl.verify.workload import Workload, make_workload

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

NORMED = """edition 1

model normed {
    image(3, 4, 5)
    linear(6)
    norm(batch)
    gelu
    linear(4)
}
"""


@pytest.fixture(scope="module")
def case() -> Workload:
    return make_workload(elaborate(KINKED), seed=0)


def test_a_kink_between_the_ends_is_no_wrong_gradient(
    case: Workload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradients, "STEPS", (1e-5,))
    (one,) = gradients.check_gradients(case, seed=1)
    assert one.worst is not None and one.worst > gradients.TOLERANCE
    monkeypatch.undo()
    (one,) = gradients.check_gradients(case, seed=1)
    assert one.passed


def _wrong(case: Workload, name: str, training: bool) -> Workload:
    """The case with one gradient off by a hundredth, in one mode."""
    truth = case.modes[training]
    changed = truth.gradients | {name: truth.gradients[name] * 1.01}
    wrong = replace(truth, gradients=changed)
    return replace(case, modes={**case.modes, training: wrong})


def test_a_wrong_gradient_is_wrong_at_every_step(case: Workload) -> None:
    truth = _wrong(case, "head.weight", False).modes[False]
    both = replace(case, modes={False: truth, True: truth})
    (found,) = gradients.check_gradients(both, seed=1)
    assert not found.passed and found.worst is not None
    assert found.worst > 10 * gradients.TOLERANCE


def test_modes_of_a_batch_norm_are_held_apart() -> None:
    case = make_workload(elaborate(NORMED), seed=0)
    assert all(one.passed for one in gradients.check_gradients(case, seed=0))
    for training in (False, True):
        wrong = _wrong(case, "linear1.weight", training)
        found = gradients.check_gradients(wrong, seed=0)
        assert [one.name for one in found] == ["gradients", "gradients in training"]
        assert [one.passed for one in found] == [training, not training]
