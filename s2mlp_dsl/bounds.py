"""Resource limits: how large a spec and its models may be.

They are checked by arithmetic, before anything of that size is built. Each has a
diagnostic code and a name, by which `--limit` and `raised` change it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields, replace
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest value allowed of each."""

    bytes: int = 2**20  # of a spec and everything it imports
    files: int = 64
    digits: int = 60  # of a number, written without an exponent
    nesting: int = 64  # brackets; expressions; blocks, residuals and stacks
    steps: int = 250_000  # of evaluation, for one model; see Evaluator.step
    groups: int = 512  # of channels in one shift
    rows: int = 500  # of one study
    statements: int = 100_000  # after expansion, every iteration counted
    distinct: int = 10_000  # of them, equal iterations of a stack counted once
    parameters: int = 10**12
    map: int = 2**34  # bytes of one map in float32
    activation: int = 2**40  # bytes of all maps of one image in float32


# Beyond these, Python's stack, its conversion of numbers, or memory would fail.
MOST = {"nesting": 256, "digits": 1000, "statements": 10**7}
NAMES = tuple(field.name for field in fields(Limits))
FLOAT_BYTES = 4
_SMALLEST, _LARGEST = Fraction(2) ** -126, Fraction(2) ** 127  # normal numbers

_DEFAULT = Limits()
_FRAMES = 100  # of Python's stack that one level of nesting may take

_current: ContextVar[Limits] = ContextVar("limits", default=_DEFAULT)


def fits_float32(value: Fraction) -> bool:
    """Whether single precision has the number, neither 0 nor infinite in its place."""
    return not value or _SMALLEST <= abs(value) <= _LARGEST


def limits() -> Limits:
    """The limits in force."""
    return _current.get()


@contextmanager
def raised(**given: int) -> Iterator[Limits]:
    """Other limits inside `with`, such as `raised(statements=10**7)`.

    Raises `ValueError` for an unknown name and for a value out of range.
    """
    for name, value in given.items():
        if name not in NAMES:
            raise ValueError(f"unknown limit {name!r}; limits are {', '.join(NAMES)}")
        most = MOST.get(name)
        if value < 1 or (most is not None and value > most):
            above = "" if most is None else f" to {most:,}"
            raise ValueError(f"{name} must be a whole number from 1{above}")
    token = _current.set(replace(limits(), **given))
    frames = sys.getrecursionlimit()
    if limits().nesting > _DEFAULT.nesting:
        sys.setrecursionlimit(max(frames, _FRAMES * limits().nesting))
    try:
        yield limits()
    finally:
        sys.setrecursionlimit(frames)
        _current.reset(token)


def how_to_raise(name: str) -> str:
    """The note of every diagnostic about a limit."""
    return f"`--limit {name}=…` raises this limit"
