"""Reading as a user whom permissions stop, also where tests run as root."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

VERSION = 0x20080522  # of the structures of capset(2): 64 bits
OVERRIDES = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH


@contextmanager
def without_privileges() -> Iterator[None]:
    """Linux stops root too if it lacks these capabilities; this thread drops them."""
    if os.geteuid() != 0:
        yield
        return
    system = ctypes.CDLL(None)
    if not hasattr(system, "capset"):
        pytest.skip("root cannot be stopped here")
    header = (ctypes.c_uint32 * 2)(VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()
    assert system.capget(header, sets) == 0
    before = sets[0]
    sets[0] = before & ~OVERRIDES
    assert system.capset(header, sets) == 0
    try:
        yield
    finally:
        sets[0] = before
        assert system.capset(header, sets) == 0
