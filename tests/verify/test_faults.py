"""Which checks catch which fault, all of them, and which line they point at.

`test_planted.py` has faults that each check must catch; here the set of checks
that fail is exact, so that none of them cries wolf.
"""

import pytest
import torch
from torch import Tensor, nn

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.nn.shift import SpatialShift
from tests.verify.planting import (
    LINES,
    changed,
    checks,
    edited,
    failed,
    lowering_writes,
)
from tests.verify.planting import PROGRAM as SMALL

# name, edit of the emitted text, checks that fail, first one blamed: statement, line
EDITS = [
    (
        "scaled residual",
        ("        x = x + y\n", "        x = torch.add(x, y, alpha=2)\n"),
        {"structure", "values"},
        ("+1", "residual {"),
    ),
    (
        "no residual",
        ("        x = x + y\n        return x", "        return y"),
        {"structure", "values"},
        ("+1", "residual {"),
    ),
    (
        "the result of another statement",
        ("        x = self.head(x)  # [batch, 5]\n", "        self.head(x)\n"),
        {"structure", "values"},
        ("head", "head: linear(5)"),
    ),
    (
        "a statement twice",
        ("y = self.gelu(y)", "y = self.gelu(self.gelu(y))"),
        {"structure", "values"},
        ("stack.0.gelu", "gelu"),
    ),
    (
        "the order of two statements",
        (
            "        y = self.gelu(y)\n        y = self.shift(y)\n",
            "        y = self.shift(y)\n        y = self.gelu(y)\n",
        ),
        # A shift and a GELU commute under `keep`: only the structure can tell.
        {"structure", "values"},
        ("stack.0.gelu", "gelu"),
    ),
    (
        "the norm in another place",
        (
            "        y = self.linear2(y)\n        y = self.norm(y)\n",
            "        y = self.norm(y)\n        y = self.linear2(y)\n",
        ),
        {"structure", "values"},
        ("stack.0.linear2", "linear(dim)"),
    ),
    (
        "a statement of no spec",
        ("y = self.gelu(y)", "y = self.gelu(y).relu()"),
        {"structure", "values"},
        ("stack.0.shift", "shift(cross)"),
    ),
    (
        "something that hides a matrix product",
        ("y = self.gelu(y)", "y = self.gelu(y + 0 * (y @ torch.ones(8, 8)))"),
        {"structure", "macs", "values"},
        ("stack.0.gelu", "gelu"),
    ),
    (
        "what cannot be traced",
        (
            "        y = self.gelu(y)",
            "        if y.sum() != 0:\n            y = self.gelu(y)",
        ),
        {"structure", "shapes", "macs"},
        ("small", None),
    ),
    (
        "one more iteration",
        ("range(3)", "range(4)"),
        {"structure", "macs", "parameters", "values"},
        ("pool", "pool(mean)"),
    ),
]


@pytest.mark.parametrize(
    "name, edit, caught, blamed", EDITS, ids=[one[0] for one in EDITS]
)
def test_edits(
    name: str,
    edit: tuple[str, str],
    caught: set[str],
    blamed: tuple[str, str | None],
) -> None:
    found = checks(edited(*edit))
    assert failed(found) == caught
    first = next(check for check in found.values() if not check.passed).failures[0]
    assert first.statement == blamed[0]
    assert first.line == (LINES[blamed[1]] if blamed[1] else None)
    assert first.message


# faults in one iteration of three


def _wrong_shift(net: nn.Module) -> None:
    groups = ((2, 2, 0), (2, -2, 0), (2, 0, -2), (2, 0, 2))
    net.get_submodule("stack.1").shift = SpatialShift(groups, "keep")


def _wrong_gelu(net: nn.Module) -> None:
    net.get_submodule("stack.1").gelu = nn.GELU(approximate="tanh")


def _wrong_eps(net: nn.Module) -> None:
    net.get_submodule("stack.1").norm.eps = 1e-6


def _frozen(net: nn.Module) -> None:
    net.get_submodule("stack.1").norm.weight.requires_grad_(False)


def _tied(net: nn.Module) -> None:
    block = net.get_submodule("stack.1")
    block.linear2.weight = block.linear1.weight


def _buffered(net: nn.Module) -> None:
    norm = net.get_submodule("stack.1.norm")
    bias = norm.bias.detach()
    del norm.bias
    norm.register_buffer("bias", bias)


def _no_bias(net: nn.Module) -> None:
    net.get_submodule("stack.1").linear1.bias = None


def _bias_twice(net: nn.Module) -> None:
    linear = net.get_submodule("stack.1").linear1
    linear.register_forward_hook(lambda part, x, y: y + part.bias)


def _stray_buffer(net: nn.Module) -> None:
    net.get_submodule("stack.1").register_buffer("count", torch.zeros(1))


class _OneHot(nn.Module):
    """The right shift as a convolution with a one-hot kernel: right, but not free."""

    def __init__(self, shift: nn.Module) -> None:
        super().__init__()
        self.shift = shift

    def forward(self, x: Tensor) -> Tensor:
        kernel = torch.ones(8, 1, 1, 1, dtype=x.dtype)
        same = nn.functional.conv2d(x.permute(0, 3, 1, 2), kernel, groups=8)
        return self.shift(same.permute(0, 2, 3, 1))


def _convolved(net: nn.Module) -> None:
    block = net.get_submodule("stack.1")
    block.shift = _OneHot(block.shift)


class _BlindSquare(torch.autograd.Function):
    """The right values, a gradient that ignores the shift."""

    @staticmethod
    def forward(ctx: object, x: Tensor, shift: nn.Module) -> Tensor:
        return shift(x)

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


class _WrongGradient(nn.Module):
    def __init__(self, shift: nn.Module) -> None:
        super().__init__()
        self.shift = shift

    def forward(self, x: Tensor) -> Tensor:
        return _BlindSquare.apply(x, self.shift)


def _blind(net: nn.Module) -> None:
    block = net.get_submodule("stack.1")
    block.shift = _WrongGradient(block.shift)


class _Overwriting(nn.Module):
    """The ports' bug: slices of one tensor assigned to each other, in order."""

    def forward(self, x: Tensor) -> Tensor:
        x[:, :, 2:, :2] = x[:, :, :-2, :2]
        x[:, :, :-2, 2:4] = x[:, :, 2:, 2:4]
        x[:, 2:, :, 4:6] = x[:, :-2, :, 4:6]
        x[:, :-2, :, 6:] = x[:, 2:, :, 6:]
        return x


def _cascade(net: nn.Module) -> None:
    net.get_submodule("stack.1").shift = _Overwriting()


class _DependsOnLayout(nn.Module):
    """Right for a contiguous map, wrong for a permuted one."""

    def __init__(self, shift: nn.Module) -> None:
        super().__init__()
        self.shift = shift

    def forward(self, x: Tensor) -> Tensor:
        return self.shift(x) if x.is_contiguous() else x


def _layout(net: nn.Module) -> None:
    block = net.get_submodule("stack.1")
    block.shift = _DependsOnLayout(block.shift)


CHANGES = [
    (_wrong_shift, {"shift movement", "values"}, "stack.1.shift", "shift(cross)"),
    (_wrong_gelu, {"values"}, "stack.1.gelu", "gelu"),
    (_wrong_eps, {"values"}, "stack.1.norm", "norm(layer)"),
    (_frozen, {"parameters"}, "stack.1.norm", "norm(layer)"),
    (_tied, {"parameters", "values"}, "stack.1.linear2", None),
    (_buffered, {"parameters"}, "stack.1.norm", "norm(layer)"),
    (_no_bias, {"parameters", "values"}, "stack.1.linear1", None),
    (_bias_twice, {"values"}, "stack.1.linear1", None),
    (_stray_buffer, {"parameters", "values"}, "stack.1.count", None),
    (_convolved, {"macs"}, "stack.1.shift", "shift(cross)"),
    (_blind, {"shift movement"}, "stack.1.shift", "shift(cross)"),
    (_cascade, {"shift movement", "values"}, "stack.1.shift", "shift(cross)"),
    (_layout, {"shift movement"}, "stack.1.shift", "shift(cross)"),
]


@pytest.mark.parametrize(
    "change, caught, statement, line", CHANGES, ids=[one[0].__name__ for one in CHANGES]
)
def test_one_iteration_of_three(
    change: object, caught: set[str], statement: str, line: str | None
) -> None:
    assert callable(change)
    found = checks(changed(change))
    assert failed(found) == caught
    for name in caught & {"shift movement", "macs", "parameters"}:
        first = found[name].failures[0]
        assert first.statement == statement
        assert line is None or first.line == LINES[line]
    if "values" in caught and line:
        assert found["values"].failures[0].statement == statement


# faults in the definitions that the lowering writes into a source

_MOVES = {"shift movement", "values"}
DEFINITIONS = [
    ("move", "- step", "+ step", _MOVES, "stack.0.shift"),
    ("move", '("keep", "zeros")', '("zeros",)', _MOVES, "stack.0.shift"),
    ("move", "source >= 0", "source > 0", _MOVES, "stack.0.shift"),
    ("move", "enumerate(steps)", "enumerate(steps[::-1])", _MOVES, "stack.0.shift"),
    ("move_parts", "group[1:]", "group[:0:-1]", _MOVES, "stack.0.shift"),
    ("shifted", "edge), dim", "edge)[::-1], dim", _MOVES, "stack.0.shift"),
    ("slide", "if down > 0", "if down < 0", _MOVES, "stack.0.shift"),
    ("slide_along", 'edge == "keep"', 'edge == "replicate"', _MOVES, "stack.0.shift"),
    ("slide_along", "min(abs(steps)", "min(1", _MOVES, "stack.0.shift"),
    ("slide_along", "steps > 0 else [m", "steps < 0 else [m", _MOVES, "stack.0.shift"),
    ("slid", "group[1], group[2]", "group[2], group[1]", _MOVES, "stack.0.shift"),
    ("slid", "cat(moved", "cat(moved[::-1]", _MOVES, "stack.0.shift"),
    (
        "sources",
        "down * width + right",
        "down * width - right",
        _MOVES,
        "stack.0.shift",
    ),
    ("sources", "length < end", "length <= end", _MOVES, "stack.0.shift"),
    ("within", "at >= step", "at > step", _MOVES, "stack.0.shift"),
    ("Gathering", "-right, -down", "right, -down", {"shift movement"}, "stack.0.shift"),
    ("Patch", "0, 1, 3, 5, 2, 4", "0, 1, 3, 5, 4, 2", {"values"}, "patch"),
    ("MeanPool", ".mean(", ".amax(", {"values"}, "pool"),
    ("MeanPool", "dim=1", "dim=1, keepdim=True", {"shapes", "values"}, "pool"),
    ("ImageToMap", "0, 2, 3, 1", "0, 3, 2, 1", {"shapes", "values"}, "image"),
]
# Who writes a definition that the usual lowering does not.
_LOWERING: dict[str, str] = {
    "move": "select",
    "move_parts": "select",
    "shifted": "select",
    "sources": "gather",
    "within": "gather",
    "Gathering": "gather",
}


@pytest.mark.parametrize(
    "name, old, new, caught, statement",
    DEFINITIONS,
    ids=[f"{one[0]} {one[2]}" for one in DEFINITIONS],
)
def test_definitions(
    name: str, old: str, new: str, caught: set[str], statement: str
) -> None:
    with lowering_writes(name, old, new):
        found = checks(SMALL.build(lowering=_LOWERING.get(name)))
    assert failed(found) == caught
    assert {found[check].failures[0].statement for check in caught} == {statement}


def test_the_image_is_left_alone() -> None:
    """A sum in place: the result is right, and the caller's image is not."""
    program = elaborate(
        "edition 1\nmodel m {\n    image(4, 3, 5)\n    residual { linear(4) }\n}\n"
    )
    found = checks(edited("x = x + y", "x += y", program), program)
    assert failed(found) == {"values"}
    (failure,) = found["values"].failures
    assert (failure.statement, failure.line) == ("image", 3)


def test_each_check_is_alone_or_first_somewhere() -> None:
    order = ["structure", "shapes", "macs", "parameters", "shift movement", "values"]
    sets = [
        *(caught for _, _, caught, _ in EDITS),
        *(caught for _, caught, _, _ in CHANGES),
        *(caught for *_, caught, _ in DEFINITIONS),
    ]
    assert {min(caught, key=order.index) for caught in sets} == set(order)
