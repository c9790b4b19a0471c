"""A clean pass, and the record that is kept of it."""

import hashlib
import json
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from s2mlp_dsl.api import VERSION, Program, elaborate
from s2mlp_dsl.verify.certificate import Certificate, Check
from s2mlp_dsl.verify.reference import has_buffers
from s2mlp_dsl.verify.verify import verify_program
from tests.lower.specs import LARGE, MADE_UP, SMALL, program
from tests.verify.planting import LINES, PROGRAM, changed, checks, edited

CHECKS = ["structure", "shapes", "macs", "parameters", "shift movement", "values"]
# Of the same program with longer and longer names, two are enough.
NAMED = [name for name in SMALL if name not in MADE_UP or "names_of_" not in name]
TRIED = [*NAMED, "names_of_classes", "names_of_40", "names_of_120"]


@pytest.mark.parametrize("name", TRIED)
def test_right_programs_pass(name: str) -> None:
    _holds(verify_program(program(name)), has_buffers(program(name).model))


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_large_programs_pass(name: str) -> None:
    _holds(verify_program(program(name)), has_buffers(program(name).model))


def _holds(certificate: Certificate, both_modes: bool = False) -> None:
    names = [check.name for check in certificate.checks]
    assert names == [*CHECKS, *(["values in training"] if both_modes else [])]
    assert [one for check in certificate.checks for one in check.failures] == []
    assert certificate.passed


def test_maps_of_zeros_are_compared_too() -> None:
    """Everything leaves the map: the reference is zero everywhere."""
    spec = """edition 1
shift away {
    edge zeros
    rest right 9
}
model m {
    image(2, 3, 3)
    shift(away)
}
"""
    _holds(verify_program(elaborate(spec)))


def _data(program: Program) -> dict[str, Any]:
    text = json.dumps(verify_program(program).as_data(), allow_nan=False)
    data: dict[str, Any] = json.loads(text)
    return data


def test_what_the_record_says() -> None:
    data = _data(PROGRAM)
    assert data["passed"] is True
    assert (data["spec"], data["model"]) == ("<text>", "small")
    assert data["function_hash"] == PROGRAM.analysis.function_hash
    assert data["weight_hash"] == PROGRAM.analysis.weight_hash
    text = PROGRAM.source().text
    assert data["source_hash"] == hashlib.sha256(text.encode()).hexdigest()
    assert data["versions"].keys() == {"s2mlp-dsl", "torch", "numpy", "python"}
    assert data["versions"]["s2mlp-dsl"] == VERSION
    assert data["versions"]["torch"] == torch.__version__
    assert data["versions"]["numpy"] == np.__version__
    assert [check["name"] for check in data["checks"]] == CHECKS
    for check in data["checks"]:
        assert check["what"]
        assert check["passed"] is True
        assert check["failures"] == []
    cases = {check["name"]: check["cases"] for check in data["checks"]}
    # image, patch, 3 · 5 statements, pool, head; 3 sums and the input
    assert cases == {
        "structure": 23,
        "shapes": 19,
        "macs": 19,
        "parameters": 22,
        "shift movement": 3,
        "values": 20,
    }
    numbers = data["checks"][-1]
    assert 0 < numbers["worst"] < 1e-13 < numbers["tolerance"] == 1e-9


def test_a_failure_says_where() -> None:
    found = checks(edited("y = self.gelu(y)", "y = self.gelu(self.gelu(y))"))
    certificate = _certificate(tuple(found.values()))
    assert not certificate.passed
    (failure,) = certificate.as_data()["checks"][0]["failures"]
    assert failure == {
        "statement": "stack.0.gelu",
        "file": "<text>",
        "line": LINES["gelu"],
        "message": "runs again where stack.0.shift should",
        "code": None,
    }


def test_a_result_that_is_no_number() -> None:
    def poison(net: nn.Module) -> None:
        net.get_submodule("stack.1").norm.eps = float("nan")

    certificate = _certificate(tuple(checks(changed(poison)).values()))
    data = json.loads(json.dumps(certificate.as_data(), allow_nan=False))
    assert data["passed"] is False
    assert data["checks"][-1]["worst"] is None
    assert data["checks"][-1]["failures"][0]["statement"] == "stack.1.norm"


def test_a_module_without_the_statement_fails_everything() -> None:
    found = checks(nn.Identity())
    failed = {name for name, check in found.items() if not check.passed}
    assert failed == set(CHECKS)


def _certificate(found: tuple[Check, ...]) -> Certificate:
    return verify_program(PROGRAM).model_copy(update={"checks": found})
