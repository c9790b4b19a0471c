"""A module built without memory is the one that was meant once it has its weights."""

import pytest
import torch
from torch import nn

from s2mlp_dsl.api import compile, elaborate
from s2mlp_dsl.lower.shift_implementations import SHIFTS
from s2mlp_dsl.nn.affine import Affine
from s2mlp_dsl.nn.conv import FixedConv, FixedDepthwise
from s2mlp_dsl.nn.one_hot_shift import OneHotShift
from s2mlp_dsl.nn.scale import Scale
from s2mlp_dsl.nn.tokens import ClassToken, Position
from tests.lower.specs import LARGE, MADE_UP, SMALL, program

BINOMIAL = (((1 / 4, 1 / 2, 1 / 4),) * 3, ((0.0, 1.0, 0.0),) * 3)
GROUPS = ((3, 1, 0), (2, -2, 1), (2, 0, 0))


def scrambled(module: nn.Module) -> nn.Module:
    """The module in new memory, which is never by chance what it should be."""
    module.to_empty(device="cpu")
    for one in (*module.parameters(), *module.buffers(recurse=False)):
        one.data.fill_(7)
    return module


def holds(name: str, lowering: str | None = None) -> None:
    one = program(name)
    net = one.build(lowering=lowering).eval()
    late = one.build(lowering=lowering, device="meta").eval()
    assert all(tensor.is_meta for tensor in late.state_dict().values())
    late.to_empty(device="cpu").load_state_dict(net.state_dict())
    x = torch.randn(2, *one.model.input_size)
    with torch.no_grad():
        assert torch.equal(net(x), late(x))


@pytest.mark.parametrize("name", SMALL)
def test_emptied_and_loaded(name: str) -> None:
    holds(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_large_ones_too(name: str) -> None:
    holds(name)


@pytest.mark.parametrize("lowering", [one for one in SHIFTS if one != "select"])
def test_every_shift_implementation(lowering: str) -> None:
    holds("digits", lowering)


def test_interleaved_groups() -> None:
    holds("cycle_mlp")
    holds("many_groups")


def test_assigned_without_memory_of_its_own() -> None:
    net = compile("specs/digits.arch").eval()
    late = compile("specs/digits.arch", device="meta").eval()
    late.load_state_dict(net.state_dict(), assign=True)
    x = torch.randn(1, 1, 8, 8)
    assert torch.equal(net(x), late(x))


@pytest.mark.parametrize(
    "module",
    [
        FixedDepthwise(6, BINOMIAL),
        FixedConv(4, 2, [[one] * 4 for one in BINOMIAL]),
        OneHotShift(GROUPS, "zeros", 2),
        Affine(5),
        Scale(5, 1e-4),
    ],
)
def test_constants_are_reset(module: nn.Module) -> None:
    wanted = [one.clone() for one in (*module.parameters(), *module.buffers())]
    scrambled(module).reset_parameters()
    for one, value in zip(
        (*module.parameters(), *module.buffers()), wanted, strict=True
    ):
        assert torch.equal(one, value)


@pytest.mark.parametrize("module", [ClassToken(4000), Position(40, 100)])
def test_random_ones_are_drawn_anew(module: nn.Module) -> None:
    scrambled(module).reset_parameters()
    assert module.weight.mean().abs() < 2e-3
    assert module.weight.std().item() == pytest.approx(0.02, rel=0.1)


def test_every_module_with_memory_can_be_reset() -> None:
    """FSDP calls `reset_parameters` of each module that has weights or buffers."""
    owners = {
        type(module): module
        for name in SMALL
        if name not in MADE_UP
        for module in program(name).build(device="meta").modules()
        if [*module.parameters(recurse=False), *module.buffers(recurse=False)]
    }
    assert len(owners) > 5
    for module in owners.values():
        assert callable(module.reset_parameters), type(module)


FILTER = """edition 1
model m {
    image(2, 4, 4)
    depthwise(3, fixed = [[[1/16, 1/8, 1/16], [1/8, 1/4, 1/8], [1/16, 1/8, 1/16]]])
}
"""


def test_filters_survive_a_change_of_type() -> None:
    late = elaborate(FILTER).build(device="meta")
    made = late.half().to_empty(device="cpu").depthwise.kernel_OIKK
    assert made.dtype == torch.float16
    assert made[1, 0].sum() == 1
