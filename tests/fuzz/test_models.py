"""Some random valid models in every run; `models.py` draws thousands."""

import pytest

from s2mlp_dsl.api import elaborate
from tests.fuzz.models import compare, model_of


@pytest.mark.parametrize("seed", range(20))
def test_the_spec_is_what_is_built(seed: int) -> None:
    compare(elaborate(model_of(seed)))


@pytest.mark.slow
@pytest.mark.parametrize("start", range(1000, 6000, 500))
def test_thousands(start: int) -> None:
    for seed in range(start, start + 500):
        try:
            compare(elaborate(model_of(seed)))
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error}") from error
