"""`instance(A, of = B, on = …)`: decided, both ways."""

import pytest
import torch
from torch import nn

from s2mlp_dsl.analysis.instance import Undecided, is_instance
from s2mlp_dsl.api import analyze
from s2mlp_dsl.nn.conv import Depthwise
from s2mlp_dsl.nn.shift import SpatialShift
from s2mlp_dsl.operators import Term

SHIFTS = "".join(
    f"""
shift cross_{edge}(step = 1) {{
    edge {edge}
    1/4 right step
    1/4 left step
    1/4 down step
    1/4 up step
}}
shift diagonal_{edge} {{
    edge {edge}
    1/2 right 1 down 1
    rest stay
}}
"""
    for edge in ("keep", "replicate", "zeros", "circular", "reflect")
)


def verdict(a: str, b: str, on: str = "[5, 6, 8]") -> str:
    spec = f"""edition 1
{SHIFTS}
model m {{
    image(1, 2, 2)
}}
claim m {{
    instance({a}, of = {b}, on = {on})
}}
"""
    (claim,) = analyze(spec).claims
    return claim.verdict


@pytest.mark.parametrize(
    "a, b",
    [
        # One step along one axis: keep is clamp.
        ("shift(cross_keep)", "depthwise(3, edge = replicate)"),
        ("shift(cross_replicate)", "depthwise(3, edge = replicate)"),
        ("shift(cross_zeros)", "depthwise(3)"),
        ("shift(cross_zeros)", "depthwise(3, bias = off)"),
        ("shift(cross_circular)", "depthwise(3, edge = circular)"),
        ("shift(cross_reflect)", "depthwise(3, edge = reflect)"),
        ("shift(cross_zeros(2))", "depthwise(5)"),
        ("shift(cross_replicate(2))", "depthwise(7, edge = replicate)"),
        ("shift(diagonal_replicate)", "depthwise(3, edge = replicate)"),
        ("shift(none)", "depthwise(1)"),
        ("shift(none)", "linear(8)"),
        ("shift(cross_replicate)", "conv(8, 3, edge = replicate)"),
        ("depthwise(3, fixed = [[1, 2, 1], [2, 4, 2], [1, 2, 1]])", "conv(8, 3)"),
        (
            "depthwise(3, fixed = [[1, 2, 1], [2, 4, 2], [1, 2, 1]])",
            "conv(8, 3, groups = 8, fixed = [[1, 2, 1], [2, 4, 2], [1, 2, 1]])",
        ),
        (
            "conv(4, 1, groups = 4, fixed = [[[[1]], [[-1/2]]]])",
            "conv(4, 3, groups = 4)",
        ),
        ("shift(cross_keep)", "shift(cross_replicate)"),
        ("shift(none)", "shift(none)"),
    ],
)
def test_holds(a: str, b: str) -> None:
    assert verdict(a, b) == "holds"


@pytest.mark.parametrize(
    "a, b",
    [
        ("shift(cross_keep)", "depthwise(3)"),
        ("shift(cross_keep)", "depthwise(3, edge = circular)"),
        ("shift(cross_keep(2))", "depthwise(5, edge = replicate)"),
        ("shift(diagonal_keep)", "depthwise(3, edge = replicate)"),
        ("shift(cross_zeros(2))", "depthwise(3)"),
        ("shift(cross_zeros)", "depthwise(3, edge = replicate)"),
        ("shift(cross_keep)", "linear(8)"),
        ("shift(cross_keep)", "shift(cross_zeros)"),
        ("shift(cross_keep)", "shift(none)"),
    ],
)
def test_fails(a: str, b: str) -> None:
    assert verdict(a, b) == "fails"


@pytest.mark.parametrize(
    "a, b",
    [
        ("depthwise(3)", "depthwise(5)"),  # weights of its own
        ("gelu", "linear(8)"),  # not linear
        ("shift(cross_keep)", "norm(layer)"),
    ],
)
def test_undecided(a: str, b: str) -> None:
    assert verdict(a, b) == "undecided"


@pytest.mark.parametrize("edge", ["keep", "replicate", "circular", "reflect"])
def test_on_one_position_a_shift_is_the_identity(edge: str) -> None:
    assert verdict(f"shift(cross_{edge})", "depthwise(1)", "[1, 1, 4]") == "holds"
    assert verdict("shift(cross_zeros)", "depthwise(1)", "[1, 1, 4]") == "holds"
    assert verdict("shift(cross_zeros)", "shift(none)", "[1, 1, 4]") == "fails"


def test_the_weights_that_it_promises_exist() -> None:
    """S²-MLP's shift as a depthwise convolution, kernel by kernel."""
    groups = ((2, 1, 0), (2, -1, 0), (2, 0, 1), (2, 0, -1))
    shift = SpatialShift(groups, "keep")
    twin = Depthwise(8, kernel_size=3, edge="replicate").double()
    nn.init.zeros_(twin.weight)
    assert twin.bias is not None
    nn.init.zeros_(twin.bias)
    for channel in range(8):
        _, right, down = groups[channel // 2]
        twin.weight.data[channel, 0, 1 - down, 1 - right] = 1
    x = torch.randn(2, 5, 6, 8, dtype=torch.float64)
    assert torch.equal(twin(x), shift(x))


# the solver, on systems written by hand


def _term(place: int, weight: int | None, coefficient: int = 1) -> Term:
    return Term((place, 0), (0, 0), None if weight is None else (weight,), coefficient)


def _fixed(*values: int) -> list[Term]:
    return [_term(place, None, value) for place, value in enumerate(values) if value]


def test_solver() -> None:
    # w0 + w1 = 3, w1 + w2 = 5, w0 + w2 = 4
    sums = [
        *(_term(0, 0), _term(0, 1)),
        *(_term(1, 1), _term(1, 2)),
        *(_term(2, 0), _term(2, 2)),
    ]
    assert is_instance(_fixed(3, 5, 4), sums)
    # and w0 − w1 = −1 agrees, −2 does not
    more = [*sums, _term(3, 0), _term(3, 1, -1)]
    assert is_instance(_fixed(3, 5, 4, -1), more)
    assert not is_instance(_fixed(3, 5, 4, -2), more)


def test_solver_needs_fractions() -> None:
    assert is_instance(_fixed(1), [_term(0, 0, 3)])
    assert not is_instance(_fixed(1, 1), [_term(0, 0, 3), _term(1, 0, 2)])


def test_one_weight_in_two_places() -> None:
    shared = [_term(0, 0), _term(1, 0)]
    assert is_instance(_fixed(2, 2), shared)
    assert not is_instance(_fixed(2, 1), shared)
    assert is_instance([], shared)


def test_a_fixed_part_of_the_second_counts() -> None:
    assert is_instance(_fixed(1, 1), [_term(0, None), _term(1, 0)])
    assert not is_instance(_fixed(2, 1), [_term(0, None), _term(1, 0)])


def test_weights_on_the_left_are_another_question() -> None:
    with pytest.raises(Undecided):
        is_instance([_term(0, 0)], [_term(0, 0)])
