"""Training where it is a function of its own: statistics of a batch, and what is kept.

Faults are planted into the text that the lowering writes for a batch norm.
"""

import pytest

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.verify.backend_checks import check_backends
from s2mlp_dsl.verify.verify import verify_module
from tests.lower.specs import program
from tests.verify.planting import failed, lowering_writes

TEXT = """edition 1

model normed {
    image(3, 4, 5)
    linear(6)
    norm(batch)
    gelu
    linear(4)
}
"""
NORMED = elaborate(TEXT)
BACKENDS = ("eager", "emitted", "export")


def test_both_modes_are_held() -> None:
    checks = check_backends(NORMED, BACKENDS, seed=0)
    assert [one.failures for one in checks if not one.passed] == []
    cases = {one.name: one.cases for one in checks}
    assert cases["gradients in training"] == 2
    for name in ("eager", "emitted"):
        # mean, variance and count
        assert cases[f"{name} buffers in training"] == 3
        assert cases[f"{name} buffers in training bfloat16"] == 3
    # It is written down in evaluation.
    assert not any(name.startswith("export") and "training" in name for name in cases)
    found = {one.name: one for one in verify_module(NORMED, NORMED.build())}
    # image, two linear, norm with three buffers, gelu, and the result
    assert found["values in training"].cases == found["values"].cases + 3 == 9
    assert found["values in training"].passed


@pytest.mark.parametrize("name", ["wu_shift"])
def test_a_shipped_model_with_batch_norms(name: str) -> None:
    one = program(name)
    found = {check.name: check for check in verify_module(one, one.build())}
    assert (
        found["values in training"].passed and found["values in training"].cases > 100
    )


# What is replaced in a batch norm's `forward`, by what, and which checks then fail
# (gradients are held to those of the same module in float64, and that to differences).
FIRST = "        count, momentum = self.num_batches_tracked, self.momentum"
RETURN = "        return y_PC.reshape(x_BXC.shape)"
UNBIASED = f"""        samples = x_BXC.numel() / x_BXC.shape[-1]
        if self.training:
            y_PC = (y_PC - self.bias) * ((samples - 1) / samples) ** 0.5 + self.bias
{RETURN}"""
FAULTS = {
    "wrong momentum": (
        FIRST,
        "        count, momentum = self.num_batches_tracked, 0.2",
        {"eager buffers in training"},
    ),
    "unbiased variance divided by": (
        RETURN,
        UNBIASED,
        {"eager values in training", "gradients in training"},
    ),
    "running statistics in training": (
        "            self.training,",
        "            False,",
        {
            "eager values in training",
            "eager buffers in training",
            "gradients in training",
        },
    ),
    "nothing kept": (
        FIRST,
        "        count, momentum = self.num_batches_tracked, 0.0",
        {"eager buffers in training"},
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults(fault: str) -> None:
    right, wrong_text, failing = FAULTS[fault]
    with lowering_writes("BatchNorm", right, wrong_text):
        found = {one.name: one for one in verify_module(NORMED, NORMED.build())}
        checks = check_backends(NORMED, ("eager",), seed=0)
    assert failed(found) == {"values in training"}
    (failure,) = found["values in training"].failures
    assert (failure.statement, failure.line) == ("norm", 6)
    wrong = {one.name: one for one in checks if not one.passed}
    assert failing == {name for name in wrong if "bfloat16" not in name}
    for name in failing - {"gradients in training"}:  # which has no statements
        (failure,) = wrong[name].failures
        assert failure.statement == "norm" and "alone, " in failure.message
