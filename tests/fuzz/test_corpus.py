"""The kept inputs of the fuzzer, without the fuzzer."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())


def test_there_are_some() -> None:
    assert len(CORPUS) >= 50


@pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))
def test_nothing_is_raised(target: Callable[[bytes], None]) -> None:
    for path in CORPUS:
        try:
            target(path.read_bytes())
        except Exception as error:
            raise AssertionError(f"{path.name}: {error!r}") from error
