"""Convolutions in exported programs: one image is as good as several."""

import pytest
import torch

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.emit.export import export_program


@pytest.mark.parametrize("statement", ["depthwise(3)", "conv(8, 3)", "conv(8, 1)"])
def test_any_batch(statement: str) -> None:
    lines = "image(3, 8, 8)\nlinear(8)\nresidual {\n" + statement + "\n}"
    program = elaborate(f"edition 1\nmodel m {{\n{lines}\n}}\n")
    module = program.build(lowering="select").eval()
    exported = export_program(program.model, module).module()
    for batch in (1, 2, 3):
        x = torch.randn(batch, 3, 8, 8)
        assert torch.allclose(exported(x), module(x), atol=1e-5)
    assert not any("_conv_forward" in vars(one) for one in module.modules())
