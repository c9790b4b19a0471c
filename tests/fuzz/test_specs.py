"""Some mutated specs in every run; `specs.py` draws hundreds of thousands."""

from pathlib import Path

import pytest

from tests.fuzz.specs import result, spec_of

_EACH = 20_000
KEPT = sorted((Path(__file__).parent / "corpus").glob("specs-*"))


def check(start: int, count: int) -> None:
    found = {
        seed: wrong
        for seed in range(start, start + count)
        if (wrong := result(seed, spec_of(seed)).wrong)
    }
    assert found == {}


@pytest.mark.parametrize("start", range(1_000_000, 1_000_200, 100))
def test_nothing_but_the_specs_own_errors(start: int) -> None:
    check(start, 100)


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.name)
def test_kept_inputs(path: Path) -> None:
    for seed in range(2):  # with formulas, and with the comparison
        assert result(seed, path.read_text()).wrong is None


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, 200_000, _EACH))
def test_many(start: int) -> None:
    check(start, _EACH)
