"""Every way to compute a shift gives the same values, and each trap is avoided."""

import ast
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.export import Dim, export
from torch.utils._python_dispatch import TorchDispatchMode

import s2mlp_dsl
from s2mlp_dsl.api import elaborate
from s2mlp_dsl.ir.program import Shift, ShiftGroup
from s2mlp_dsl.lower.errors import CannotLower
from s2mlp_dsl.lower.shift_implementations import SHIFTS, construct, default_for
from s2mlp_dsl.lower.shift_implementations.onehot import OneHot
from s2mlp_dsl.lower.shift_implementations.slices import Slices
from s2mlp_dsl.nn.gathered_shift import GatheredShift, gathered
from s2mlp_dsl.nn.one_hot_shift import OneHotShift
from s2mlp_dsl.nn.sliced_shift import SlicedShift
from s2mlp_dsl.targets import TARGETS
from tests.lower.specs import program
from tests.operators.test_shift_oracle import EDGES, Move, expected, moves
from tests.verify.planting import PROGRAM

NN = Path(s2mlp_dsl.__file__).parent / "nn"
GROUPS = ((2, 1, 0), (2, -2, 1), (2, 0, 0), (3, 0, 9))
ONE_STEP = ((2, 1, 0), (2, -1, 0), (2, 0, 1), (3, 0, -1))


def _shift(move: Move) -> Shift:
    groups = tuple(
        ShiftGroup(channels=channels, right=right, down=down)
        for channels, right, down in move.groups
    )
    return Shift(name="s", edge=move.edge, groups=groups, interleaved=move.turns)


def _holds(module: nn.Module, move: Move) -> None:
    """Values and gradients of `select`, which the law is tested with elsewhere."""
    x = move.tags().requires_grad_()
    y = module(x)
    assert torch.equal(y, expected(x.detach(), move))
    back = move.tags().flip(0, 1, 2, 3)
    (gradient,) = torch.autograd.grad(y, x, back)
    (wanted,) = torch.autograd.grad(move.module()(x), x, back)
    assert torch.equal(gradient, wanted)
    channels_first = x.detach().movedim(-1, 1).contiguous().movedim(1, -1)
    assert torch.equal(module(channels_first), y)
    assert torch.equal(channels_first, x)


@given(moves())
@settings(max_examples=200, deadline=None)
def test_gather(move: Move) -> None:
    _holds(GatheredShift(move.groups, move.edge, move.turns), move)


@given(moves())
@settings(max_examples=300, deadline=None)
def test_slices(move: Move) -> None:
    assume(Slices().refusal(_shift(move)) is None)
    _holds(SlicedShift(move.groups, move.edge), move)


@given(moves(furthest=3))
@settings(max_examples=200, deadline=None)
def test_one_hot(move: Move) -> None:
    assume(OneHot().refusal(_shift(move)) is None)
    _holds(OneHotShift(move.groups, move.edge, move.turns), move)


@given(st.permutations(ONE_STEP), st.integers(1, 3), st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_one_hot_keeps_one_step(
    groups: list[tuple[int, int, int]], height: int, width: int
) -> None:
    move = Move(height, width, tuple(groups), "keep")
    assert OneHot().refusal(_shift(move)) is None
    _holds(OneHotShift(move.groups, "keep"), move)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_one_hot_rounds_nothing(dtype: torch.dtype) -> None:
    move = Move(4, 5, ONE_STEP, "zeros")
    x = torch.randn(2, *move.size).to(dtype)
    assert torch.equal(OneHotShift(ONE_STEP, "zeros")(x), move.module()(x))


class Calls(TorchDispatchMode):
    """The names of the kernels that are called."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        self.names.append(str(func))
        return func(*args, **(kwargs or {}))


# which one is taken


def test_chosen_by_target_and_device() -> None:
    assert default_for("cpu") == "slices"
    assert default_for("cuda:1") == "gather"
    assert TARGETS["onnx"].shifts == TARGETS["export"].shifts == "select"


@pytest.mark.parametrize(
    ("asked", "classes"),
    [
        ("slices", {"SlicedShift", "InterleavedShift"}),
        ("select", {"SpatialShift", "InterleavedShift"}),
        ("gather", {"GatheredShift"}),
    ],
)
def test_a_shift_it_cannot_compute_gets_another(asked: str, classes: set[str]) -> None:
    body = program("many_groups").model.body
    callees = {construct(op, asked).callee for op in body if op.operator == "shift"}
    assert callees == classes


@pytest.mark.parametrize(
    ("edge", "reason"),
    [("keep", "`keep` differs from `replicate`"), ("zeros", "it moves by 9 steps")],
)
def test_asking_for_the_impossible_says_why(edge: str, reason: str) -> None:
    spec = f"edition 1\nshift far {{\n    edge {edge}\n    rest right 9\n}}\n"
    spec += "model m {\n    image(2, 3, 3)\n    shift(far)\n}\n"
    with pytest.raises(CannotLower, match=reason) as raised:
        elaborate(spec).source(lowering="onehot")
    (one,) = raised.value.diagnostics
    assert (one.code.number, one.primary.span.line) == ("A0903", 8)
    assert raised.value.exit_code == 2


def test_the_header_says_what_was_asked() -> None:
    text = program("digits").source(lowering="gather").text
    assert "--lowering gather --emit torch" in text.replace("\n", " ")
    text = program("digits").source(device="cuda").text
    assert "--device cuda --emit torch" in text.replace("\n", " ")
    assert "class GatheredShift" in text


@pytest.mark.parametrize("lowering", SHIFTS.names())
def test_models_agree_bit_for_bit(lowering: str) -> None:
    one = program("digits")
    torch.manual_seed(1)
    net = one.build(lowering="select").eval()
    other = one.build(lowering=lowering).eval()
    other.load_state_dict(net.state_dict())
    x = torch.randn(2, 1, 8, 8)
    assert torch.equal(net(x), other(x))


# the traps of the field


def test_nothing_is_written_in_place() -> None:
    """Slices of one tensor assigned to each other cascade: no such line is there."""
    for path in NN.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name != "__init__":
                for inner in ast.walk(node):
                    assert not isinstance(inner, ast.AugAssign), path
                    if isinstance(inner, ast.Subscript):
                        assert isinstance(inner.ctx, ast.Load), path


def test_nothing_is_padded_by_replication() -> None:
    """Inductor fails in the backward of `F.pad(mode="replicate")`."""
    for path in NN.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute | ast.Name):
                name = node.attr if isinstance(node, ast.Attribute) else node.id
                assert name not in ("pad", "roll"), path


def _modules(edge: str) -> dict[str, nn.Module]:
    found: dict[str, nn.Module] = {"gather": GatheredShift(GROUPS, edge)}
    if edge != "reflect":
        found["slices"] = SlicedShift(GROUPS, edge)
    groups = ONE_STEP if edge == "keep" else GROUPS
    found["onehot"] = OneHotShift(groups, edge)
    return found


@pytest.mark.parametrize("edge", EDGES)
def test_gather_exports_for_maps_of_any_size(edge: str) -> None:
    """So does `select`: see tests/operators/test_shift_exported.py."""
    module = GatheredShift(GROUPS, edge)
    sides = {1: Dim("height", min=1, max=4096), 2: Dim("width", min=1, max=4096)}
    x = torch.randn(2, 5, 6, 9)
    exported = export(module, (x,), dynamic_shapes=(sides,)).module()
    for height, width in product((1, 2, 3, 7), (1, 2, 5)):
        x = torch.randn(2, height, width, 9)
        assert torch.equal(exported(x), module(x))


@pytest.mark.parametrize("edge", EDGES)
def test_functionalizes(edge: str) -> None:
    x = torch.randn(2, 4, 3, 9)
    found: dict[str, Callable[[Tensor], Tensor]] = {**_modules(edge)}
    # torch.func.functionalize knows no autograd.Function; what it runs is this.
    found["gather"] = lambda x: gathered(x, GROUPS, edge, 0)
    for shift in found.values():
        assert torch.equal(torch.func.functionalize(shift)(x), shift(x))


@pytest.mark.parametrize("edge", ["keep", "zeros", "circular"])
def test_gradients_of_a_gather_are_gathered(edge: str) -> None:
    """Not added up entry by entry, and differentiable again."""
    module = GatheredShift(GROUPS, edge)
    x = torch.randn(2, 3, 4, 9, dtype=torch.float64).requires_grad_()
    with Calls() as calls:
        module(x).sum().backward()
    assert not any("index_put" in call for call in calls.names), calls.names
    assert torch.autograd.gradcheck(module, x)
    assert torch.autograd.gradgradcheck(module, x)
    one_by_one = torch.func.vmap(lambda x: module(x[None])[0])(x)
    assert torch.equal(one_by_one, module(x))


@pytest.mark.slow
@pytest.mark.parametrize("edge", EDGES)
def test_compiles_forward_and_backward(edge: str) -> None:
    for name, module in _modules(edge).items():
        torch.compiler.reset()
        compiled = torch.compile(_After(module))
        for size in ((2, 5, 6, 9), (1, 4, 1, 9)):
            x = torch.randn(size).movedim(1, 2).requires_grad_()  # a permuted map
            results: list[Tensor] = []
            for one in (compiled, _After(module)):
                (gradient,) = torch.autograd.grad(one(x).sin().sum(), x)
                results.append(gradient)
            torch.testing.assert_close(*results, msg=name)


class _After(nn.Module):
    """A shift behind a GELU, as a model has it."""

    def __init__(self, shift: nn.Module) -> None:
        super().__init__()
        self.shift = shift

    def forward(self, x: Tensor) -> Tensor:
        return self.shift(nn.functional.gelu(x))


def test_every_implementation_is_verified() -> None:
    from s2mlp_dsl.verify.verify import verify_module

    for lowering in ("slices", "select", "gather"):
        checks = verify_module(PROGRAM, PROGRAM.build(lowering=lowering))
        assert all(check.passed for check in checks), lowering
