"""The operators' columns of the paper's table 1, on maps with room to show."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from s2mlp_dsl.ir.shape import Map
from s2mlp_dsl.operators import ReceptiveField
from s2mlp_dsl.operators.rearrange import Rearrange
from tests.operators.cases import ALL, Case, map_

_ROOM = 12
_MARGIN = 4


def _roomy() -> dict[str, Case]:
    """A case per statement and number of channels."""
    cases = [
        Case(f"image({case.shape.channels}, {_ROOM}, {_ROOM})", None)
        if case.op.source is None
        else Case(case.statement, map_(_ROOM, _ROOM, case.entering.channels))
        for case in ALL
        if case.probed and (case.entering or case.op.source is None)
    ]
    return {str(case): case for case in cases}


@pytest.mark.parametrize("case", _roomy().values(), ids=str)
def test_properties(case: Case) -> None:
    properties = case.operator.properties()
    receptive_field = case.operator.receptive_field()
    assert case.operator.learned == bool(list(case.module().parameters()))
    # test_contract.py compares the receptive field with the module, on smaller maps.
    assert properties.reads == _reads(receptive_field, _ROOM * _ROOM)
    assert properties.spatial_specific == (not _moves_along(case))
    if not receptive_field.mixes and case.shape.channels > 1:
        assert properties.channel_specific == (not _treats_channels_alike(case))


def _reads(receptive_field: ReceptiveField, positions: int) -> str:
    if any(part.reads == "all" for part in receptive_field.parts):
        return "everything"
    tables = [
        table for part in receptive_field.parts if (table := part.table) is not None
    ]
    read = [(place, set(row)) for table in tables for place, row in enumerate(table)]
    if read and all(len(row) == positions for _, row in read):
        return "everything"
    return "position" if all(row <= {place} for place, row in read) else "neighbours"


def _moves_along(case: Case) -> bool:
    """A moved input gives the moved output, borders aside."""
    module, x = case.module(), case.input()
    step = _ROOM // case.op.result.height if isinstance(case.op.result, Map) else 1
    y = module(case.feed(x))
    moved = module(case.feed(x.roll((step, step), (1, 2))))
    if y.dim() == 2:
        return torch.allclose(moved, y)
    inside = slice(_MARGIN // step + 1, -(_MARGIN // step) or None)
    expected = y.roll((1, 1), (1, 2))
    return torch.allclose(moved[:, inside, inside], expected[:, inside, inside])


def _treats_channels_alike(case: Case) -> bool:
    module, x = case.module(), case.input()
    return torch.allclose(module(case.feed(x.flip(-1))), module(case.feed(x)).flip(-1))


@st.composite
def patterns(draw: st.DrawFn) -> tuple[str, tuple[int, ...]]:
    """A pattern for a map, some of its axes split, and the shape of the map."""
    dims = tuple(draw(st.integers(1, 4)) for _ in "yxc")
    left, axes = [], []
    for name, size in zip("yxc", dims, strict=True):
        part = draw(st.sampled_from([n for n in range(1, size + 1) if not size % n]))
        split = draw(st.booleans())
        left.append(f"({name} {name}2={part})" if split else name)
        axes += [name, f"{name}2"] if split else [name]
    axes = draw(st.permutations(axes))
    cut = draw(st.integers(1, len(axes) - 1))
    right = [f"({' '.join(axes[:cut])})", f"({' '.join(axes[cut:])})"]
    return f"{' '.join(left)} -> {' '.join(right)}", dims


@given(patterns())
def test_what_a_rearrangement_reads(drawn: tuple[str, tuple[int, ...]]) -> None:
    text, (height, width, channels) = drawn
    source = Map(height=height, width=width, channels=channels)
    operator = Rearrange(source, {"pattern": text})
    sources = list(operator.fitted.moves.sources())
    count, (_, last) = height * width, operator.fitted.dims
    found = operator.properties().reads
    if sources == list(range(count * channels)):
        assert found == "position"
    else:
        read = {source // channels for source in sources[:last]}
        assert found == ("everything" if len(read) == count else "neighbours")


@given(patterns())
def test_moves_by_positions_and_channels(drawn: tuple[str, tuple[int, ...]]) -> None:
    text, (height, width, channels) = drawn
    source = Map(height=height, width=width, channels=channels)
    moves = Rearrange(source, {"pattern": text}).moves()
    places, steps = moves.positions()
    bases, offsets = moves.sources_of_channels()
    found = [
        (place + step) * channels + base + offset
        for place, base in zip(places, bases, strict=True)
        for step, offset in zip(steps, offsets, strict=True)
    ]
    assert found == list(moves.sources())
    assert moves.distinct == len(set(steps))
    assert moves.keeps_channels == (len(set(bases)) == 1)
