"""Exported programs take any batch, also behind operators that leave views."""

from itertools import product
from pathlib import Path

import pytest
import torch

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.lower.export import export_program

BODIES = {
    "crop": "crop({axis}, 5)\n linear(5)",
    "crop_norm": "crop({axis}, 3)\n norm(layer)\n linear(3)",
    "crop_residual": "crop({axis}, 4)\n residual {{ linear(8)\n gelu\n linear(dim) }}",
    "crop_shift": "crop({axis}, 4)\n shift(cross)\n linear(4)",
    "hire": 'residual {{ pad({axis}, multiple = 4, edge = circular) {{ fold("{fold}", '
    "a = 4) {{ linear(8)\n gelu\n linear(dim) }} }}\n linear(16) }}",
    "one_position": "patch(6, 16)\n residual {{ norm(layer)\n attention(2) }}",
    "extend": "extend({axis}, 2, zeros)\n depthwise(3)\n linear(4)",
}
FOLDS = {"y": "(y a) x c -> y x (a c)", "x": "y (x a) c -> y x (a c)"}


@pytest.mark.parametrize(("name", "axis"), list(product(BODIES, "yx")))
def test_any_batch(name: str, axis: str) -> None:
    body = BODIES[name].format(axis=axis, fold=FOLDS[axis])
    program = elaborate(
        'edition 1\nimport cross from "std:s2mlp"\nmodel m {\n image(3, 24, 24)\n'
        f" patch(4, 16)\n {body}\n pool(mean)\n linear(3)\n}}\n"
    )
    module = program.build().eval()
    exported = export_program(program.model, module).module()
    for batch in (1, 2, 5):
        x = torch.randn(batch, 3, 24, 24)
        torch.testing.assert_close(exported(x), module(x))


@pytest.mark.parametrize("name", ["digits", "mlp_mixer"])
def test_plain_models_are_exported_without_copies(name: str) -> None:
    """Copies are for models that PyTorch asks an order of memory of."""
    small = {"width": 16, "depth": 2}
    mixer = (
        ("mixer_b16", small | {"size": 32}) if name == "mlp_mixer" else (None, small)
    )
    program = elaborate(Path(f"specs/{name}.arch"), *mixer)
    exported = export_program(program.model, program.build(lowering="select"))
    assert not [one for one in exported.graph.nodes if "clone" in str(one.target)]
