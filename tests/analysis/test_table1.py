"""Table 1, computed from facts, and found again by probes on the built models."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from s2mlp_dsl.analysis.compare import Compared, compare_model
from s2mlp_dsl.analysis.resize import bound_by
from s2mlp_dsl.api import Program, elaborate
from s2mlp_dsl.diagnostics import SpecError

# The statement, its channels, and its row: learned, global, spatial-specific, channels.
PIECES: dict[str, tuple[str, int, tuple[bool, bool, bool, str]]] = {
    "shift": ("shift(cross)", 8, (False, False, False, "specific")),
    "one shift": ("shift(east)", 3, (False, False, False, "agnostic")),
    "depthwise": (
        "depthwise(3, edge = replicate)",
        3,
        (True, False, False, "specific"),
    ),
    "one-hot": (
        "depthwise(3, edge = replicate, fixed = [[[0, 0, 0], [1, 0, 0], [0, 0, 0]], "
        "[[0, 0, 0], [0, 1, 0], [0, 1, 0]]])",
        4,
        (False, False, False, "specific"),
    ),
    "blur": (
        "depthwise(3, fixed = [[1/16, 1/8, 1/16], [1/8, 1/4, 1/8], [1/16, 1/8, 1/16]])",
        3,
        (False, False, False, "agnostic"),
    ),
    "conv": ("conv(3, 3)", 3, (True, False, False, "mixed")),
    "grouped conv": ("conv(3, 3, groups = 3)", 3, (True, False, False, "specific")),
    "fixed conv": (
        "conv(2, 3, fixed = [[[[0, 0, 0], [1, 0, 0], [0, 0, 0]], "
        "[[0, 0, 0], [0, 2, 0], [0, 0, 0]]], [[[0, 0, 0], [0, 0, 0], [0, 0, 0]], "
        "[[0, 1, 0], [0, 0, 0], [0, 0, 0]]]])",
        2,
        (False, False, False, "mixed"),
    ),
    "filters of one channel": (
        "conv(2, 3, fixed = [[[[0, 0, 0], [1, 0, 0], [0, 0, 0]], "
        "[[0, 0, 0], [0, 0, 0], [0, 0, 0]]], [[[0, 0, 0], [0, 0, 0], [0, 0, 0]], "
        "[[0, 1, 0], [0, 0, 0], [0, 0, 0]]]])",
        2,
        (False, False, False, "specific"),
    ),
    "a sum of channels": (
        "conv(3, 3, fixed = [[[[1, 0, 1], [0, 0, 0], [0, 0, 0]], "
        "[[1, 0, 1], [0, 0, 0], [0, 0, 0]], [[1, 0, 1], [0, 0, 0], [0, 0, 0]]]])",
        3,
        (False, False, False, "agnostic"),
    ),
    "windows": (
        "pool(mean, size = 3, stride = 1, pad = 1)",
        2,
        (False, False, False, "agnostic"),
    ),
    "attention": ("attention(2)", 4, (True, True, False, "mixed")),
    "token mixing": (
        'fold("y x c -> c (y x)") { linear(5)\n gelu\n linear(dim) }',
        3,
        (True, True, True, "agnostic"),
    ),
    "a row": (
        'fold("y x c -> c y x") { linear(dim) }',
        3,
        (True, False, True, "agnostic"),
    ),
    "segments": (
        'fold("y x (g s) -> g x (y s)", g = 2) { linear(dim) }',
        4,
        (True, False, True, "mixed"),
    ),
    "regions": (
        'fold("(y a) x c -> y x (a c)", a = 3) { linear(dim) }',
        2,
        (True, False, True, "mixed"),
    ),
    "turned": (
        'fold("y x c -> x y c") { shift(cross) }',
        4,
        (False, False, False, "specific"),
    ),
    "over channels": (
        'fold("y x c -> c y x") { depthwise(3) }',
        3,
        (True, False, True, "mixed"),
    ),
    "statistics": ("norm(group)", 3, (True, True, False, "mixed")),
}
SIDE, MARGIN = 9, 3


def program_of(statement: str, channels: int, side: int = SIDE) -> Program:
    return elaborate(
        f"""edition 1
shift cross {{
    edge keep
    1/4 right
    1/4 left
    1/4 down
    1/4 up
}}
shift east {{
    edge keep
    rest right 2
}}
model tried {{
    image({channels}, {side}, {side})
    {statement}
}}
"""
    )


def drawn(program: Program, seed: int) -> nn.Module:
    net = program.build().double().eval()
    random = torch.Generator().manual_seed(seed)
    for parameter in net.parameters():
        nn.init.normal_(parameter, generator=random)
    return net


class Probe(NamedTuple):
    """What a built model does. Its map is [1, y, x, c], of an image [1, c, y, x]."""

    reads: int
    learned: bool
    spatial_specific: bool
    channel: str


def probe(program: Program, channels: int) -> Probe:
    net = drawn(program, 0)
    random = torch.Generator().manual_seed(2)
    x = torch.randn(1, channels, SIDE, SIDE, generator=random, dtype=torch.float64)
    seen = _jacobian(net, x)
    depends = (seen.abs() > 1e-12).any(1).any(2)  # positions × positions
    apart = ~torch.eye(SIDE**2, dtype=torch.bool)
    others = _jacobian(drawn(program, 1), x)
    between_c = (seen.abs() > 1e-12).any(0).any(1)  # channels × channels
    channel = "specific"
    if torch.allclose(net(x.flip(1)), net(x).flip(-1)):
        channel = "agnostic"
    elif (between_c & ~torch.eye(channels, dtype=torch.bool)).any():
        channel = "mixed"
    inside = slice(MARGIN, -MARGIN)
    moved = net(x.roll((1, 1), (2, 3)))[:, inside, inside]
    expected = net(x).roll((1, 1), (1, 2))[:, inside, inside]
    return Probe(
        reads=int(depends.sum(1).max()),
        learned=not torch.allclose(
            *(one.permute(0, 2, 1, 3)[apart] for one in (seen, others))
        ),
        spatial_specific=not torch.allclose(moved, expected),
        channel=channel,
    )


def _jacobian(net: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """[place out, channel out, place in, channel in]."""
    found = torch.autograd.functional.jacobian(net, x, vectorize=True)[0, :, :, :, 0]
    channels = x.shape[1]
    return found.permute(0, 1, 2, 4, 5, 3).reshape(SIDE**2, channels, SIDE**2, channels)


@cache
def compared(name: str) -> Compared:
    statement, channels, _ = PIECES[name]
    return compare_model(program_of(statement, channels).model)


@pytest.mark.parametrize("name", PIECES)
def test_rows(name: str) -> None:
    (operator,) = compared(name).operators
    row = operator.row
    found = (row.learned, row.is_global, row.spatial_specific, row.channel)
    assert found == PIECES[name][2]
    assert operator.statistics == (name == "statistics")


@pytest.mark.parametrize("name", PIECES)
def test_probes_find_the_same(name: str) -> None:
    statement, channels, (learned, is_global, spatial_specific, channel) = PIECES[name]
    (operator,) = compared(name).operators
    found = probe(program_of(statement, channels), channels)
    assert found == Probe(operator.reads or 0, learned, spatial_specific, channel)
    assert is_global == (found.reads == SIDE**2)


def test_table_1_of_the_paper() -> None:
    def row(spec: str, model: str) -> tuple[bool, bool, bool, str]:
        found = compare_model(elaborate(f"specs/{spec}.arch", model).model).row
        assert found is not None
        return found.learned, found.is_global, found.spatial_specific, found.channel

    assert row("mlp_mixer", "mixer_b16") == (True, True, True, "agnostic")
    assert row("s2mlp_deep", "s2mlp_deep") == (False, False, False, "specific")
    assert row("s2mlp_depthwise", "depthwise_3") == (True, False, False, "specific")


def test_a_position_embedding_binds() -> None:
    found = compare_model(elaborate("specs/vit.arch", "vit_b16").model)
    assert found.row is not None and found.row.spatial_specific
    assert [one.row.spatial_specific for one in found.operators] == [False]


def test_nothing_mixes() -> None:
    found = compare_model(program_of("linear(3)", 3).model)
    assert found.row is None and not found.operators


@pytest.mark.parametrize(
    "statement",
    [
        *(statement for statement, _, _ in PIECES.values()),
        "position",
        "pad(y, multiple = 4, edge = zeros) { linear(dim) }",
        'rearrange("y x c -> (y x) c")\n class_token\n take(first)',
        "patch(3, 4)\n patch(3, 5)",
        "conv(4, 3, stride = 2)\n residual { depthwise(5) }",
        'stack 2 { fold("y x c -> x c y") { linear(dim) } }',
        "parallel(copy, merge = concat) { branch { linear(2) }\n branch { } }",
        "pool(mean)\n linear(3)",
    ],
)
def test_other_sizes(statement: str) -> None:
    # The same weights load into the model of twice the size, or they do not.
    channels = {one: count for one, count, _ in PIECES.values()}.get(statement, 4)
    small = program_of(statement, channels)
    try:
        large = program_of(statement, channels, 2 * SIDE).build().state_dict()
    except SpecError:
        fits = False
    else:
        state = small.build().state_dict()
        fits = {k: v.shape for k, v in state.items()} == {
            k: v.shape for k, v in large.items()
        }
    assert (bound_by(small.model) is None) == fits
