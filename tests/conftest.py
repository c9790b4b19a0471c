"""Golden files: `pytest --update-golden` writes them instead of comparing."""

from collections.abc import Callable
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write golden files")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """`golden(path, text)` holds a text against a file, to the letter."""
    update = request.config.getoption("--update-golden")

    def hold(path: Path, text: str) -> None:
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
            return
        assert path.exists(), f"{path} is missing: pytest --update-golden writes it"
        assert text == path.read_bytes().decode()

    return hold
