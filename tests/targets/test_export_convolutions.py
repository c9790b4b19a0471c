"""Convolutions in exported programs: one image is as good as several."""

import pytest
import torch

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.lower.export import export_program

STATEMENTS = ("depthwise(3)", "conv(dim, 3)", "conv(dim, 1, edge = replicate)")


@pytest.mark.parametrize("statement", STATEMENTS)
@pytest.mark.parametrize("channels", [8, 1])
def test_any_batch(statement: str, channels: int) -> None:
    lines = f"image(3, 8, 8)\nlinear({channels})\nresidual {{\n{statement}\n}}"
    program = elaborate(f"edition 1\nmodel m {{\n{lines}\n}}\n")
    module = program.build(lowering="select").eval()
    exported = export_program(program.model, module).module()
    for batch in (1, 2, 3):
        x = torch.randn(batch, 3, 8, 8)
        assert torch.allclose(exported(x), module(x), atol=1e-5)
    assert not any("_conv_forward" in vars(one) for one in module.modules())
