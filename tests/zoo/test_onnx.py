"""Every shipped model in ONNX Runtime: results as the module's, within 1e-4.

Models with open parameters have small ones, the others their published size.
"""

import pytest
import torch
from torch import Tensor, nn

from s2mlp_dsl.emit import onnx
from s2mlp_dsl.emit.onnx import OnnxFailed, onnx_bytes, run_onnx
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
    off = (run_onnx(data, x_BCHW) - wanted).abs().max() / wanted.abs().max()
    assert off <= 1e-4


def test_both_sizes_are_here() -> None:
    assert len(LARGE) >= 25 and len(SHIPPED) - len(LARGE) >= 15


# what ONNX cannot say, it says why


class _Branching(nn.Module):
    """What leaves depends on the values that enter."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.net(x)
        return y if x.sum() > 0 else -y


def test_what_cannot_be_expressed() -> None:
    one = program("ends_in_a_residual")
    with pytest.raises(OnnxFailed, match=r"^ONNX cannot express m: \S+ ") as raised:
        onnx_bytes(one.model, _Branching(one.build()), one.identity)
    assert "\n" not in str(raised.value)


def test_more_weights_than_one_file_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx, "LARGEST", 100)
    one = program("ends_in_a_residual")
    with pytest.raises(OnnxFailed, match="m has more weights than one ONNX file may"):
        one.emit("onnx")
