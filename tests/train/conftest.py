"""Small models: one thread is fastest, and drawing curves takes longer than they."""

from collections.abc import Iterator

import pytest
import torch

from s2mlp_dsl.train import logger


@pytest.fixture(autouse=True, scope="package")
def no_curves() -> Iterator[None]:
    """The tests of curves call what draws themselves, or run the command."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logger, "draw_curves", lambda run, metrics: None)
        yield


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    torch.set_num_threads(1)
