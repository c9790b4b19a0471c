"""Every shipped model in ONNX Runtime: results as the module's, within 1e-4
or, where PyTorch itself rounds off a quarter of that and more, four times as much.

Models with open parameters have small ones, the others their published size.
"""

import pytest
import torch
from torch import Tensor, nn

from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.lower import onnx as lowering
from s2mlp_dsl.lower.errors import CannotLower
from s2mlp_dsl.lower.onnx import (
    onnx_bytes,
    relative_error,
    rounding_error,
    run_onnx,
)
from tests.lower.specs import LARGE, SHIPPED, program

QUICK = ("gmlp", "vit")  # gates and folds; tokens and attention
SLOW = [
    pytest.param(name, marks=pytest.mark.slow) for name in SHIPPED if name not in QUICK
]


@pytest.mark.parametrize("name", [*QUICK, *SLOW])
def test_as_the_module(name: str) -> None:
    one = program(name)
    torch.manual_seed(0)
    net = one.build().eval()
    data = one.emit("onnx", net)
    x_BCHW = torch.randn(2, *one.model.input_size)
    with torch.no_grad():
        wanted = net(x_BCHW)
    error = relative_error(run_onnx(data, x_BCHW), wanted)
    assert error <= 1e-4 or error <= 4 * rounding_error(net, x_BCHW)


def test_both_sizes_are_here() -> None:
    assert len(LARGE) >= 25 and len(SHIPPED) - len(LARGE) >= 15


# what ONNX cannot say, it says why


class _Branching(nn.Module):
    """What leaves depends on the values that enter."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        for name, part in net.named_children():  # its statements, where they are
            self.add_module(name, part)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.net(x)
        return y if x.sum() > 0 else -y


def _said(model: Model, module: nn.Module) -> tuple[str, str | None, int | None]:
    """Code, statement and line of what the target answers."""
    with pytest.raises(CannotLower) as raised:
        onnx_bytes(model, module)
    (one,) = raised.value.diagnostics
    assert "\n" not in one.primary.text and raised.value.exit_code == 1
    return one.code.number, raised.value.statement, one.primary.span.line


def test_what_cannot_be_expressed() -> None:
    """Code that depends on values: no statement is to blame, so it is the model."""
    one = program("ends_in_a_residual")
    assert _said(one.model, _Branching(one.build())) == ("A0901", None, 3)


class _Solved(nn.Module):
    """What PyTorch can export, and ONNX has no operator for."""

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = torch.linalg.solve(x @ x.mT, x)
        return y


def test_the_statement_that_cannot_be_expressed() -> None:
    one = program("nested_residuals")
    net = one.build(lowering="select")
    net.gelu = _Solved()
    code, statement, line = _said(one.model, net)
    assert (code, statement) == ("A0901", "gelu")
    assert one.spec.source.line(line or 0).strip() == "gelu"


def test_more_weights_than_one_file_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lowering, "LARGEST", 40)
    one = program("ends_in_a_residual")
    said = "64 bytes of weights, and one ONNX file holds 40"
    with pytest.raises(CannotLower, match=said):
        one.emit("onnx")
    assert _said(one.model, one.build())[0] == "A0901"
