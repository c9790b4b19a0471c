"""The shift survives what PyTorch does to it before it is deployed."""

from itertools import product

import pytest
import torch
from torch import nn
from torch.export import Dim, export

from s2mlp_dsl.nn.shift import InterleavedShift, SpatialShift

EDGES = ("keep", "replicate", "zeros", "circular", "reflect")
GROUPS = ((2, 1, 0), (2, -2, 1), (2, 0, 0), (3, 0, 9))


def _module(edge: str, turns: int) -> nn.Module:
    if turns:
        return InterleavedShift(GROUPS, edge, turns)
    return SpatialShift(GROUPS, edge)


@pytest.mark.parametrize("turns", [0, 2])
@pytest.mark.parametrize("edge", EDGES)
def test_exports_for_maps_of_any_size(edge: str, turns: int) -> None:
    module = _module(edge, turns)
    sides = {1: Dim("height", min=1, max=4096), 2: Dim("width", min=1, max=4096)}
    x = torch.randn(2, 5, 6, 9)
    exported = export(module, (x,), dynamic_shapes=(sides,)).module()
    for height, width in product((1, 2, 3, 7), (1, 2, 5)):
        x = torch.randn(2, height, width, 9)
        assert torch.equal(exported(x), module(x))


@pytest.mark.parametrize("turns", [0, 2])
@pytest.mark.parametrize("edge", EDGES)
def test_functionalizes(edge: str, turns: int) -> None:
    module, x = _module(edge, turns), torch.randn(2, 4, 3, 9)
    assert torch.equal(torch.func.functionalize(module)(x), module(x))


@pytest.mark.slow
@pytest.mark.parametrize("turns", [0, 2])
@pytest.mark.parametrize("edge", EDGES)
def test_compiles(edge: str, turns: int) -> None:
    module = _module(edge, turns)
    torch.compiler.reset()
    compiled = torch.compile(module, dynamic=True)
    for height, width in ((5, 6), (1, 4), (7, 2)):
        x = torch.randn(2, height, width, 9, requires_grad=True)
        results = []
        for one in (compiled, module):
            y = one(x)
            (gradient,) = torch.autograd.grad(y.sin().sum(), x)
            results.append((y, gradient))
        assert torch.equal(results[0][0], results[1][0])
        torch.testing.assert_close(results[0][1], results[1][1])
