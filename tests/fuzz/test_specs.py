"""Some mutated specs in every run; `specs.py` draws hundreds of thousands."""

import pytest

from tests.fuzz.specs import result, spec_of

_EACH = 20_000


def check(start: int, count: int) -> None:
    found = {
        seed: wrong
        for seed in range(start, start + count)
        if (wrong := result(seed, spec_of(seed)).wrong)
    }
    assert found == {}


@pytest.mark.parametrize("start", range(1_000_000, 1_000_400, 100))
def test_nothing_but_the_specs_own_errors(start: int) -> None:
    check(start, 100)


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, 200_000, _EACH))
def test_many(start: int) -> None:
    check(start, _EACH)
