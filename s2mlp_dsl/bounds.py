"""How large a spec may grow. No real model meets these; an explosion does.

Everything is checked by arithmetic before anything of that size is built. Each
bound has a diagnostic code of its own and a name, by which `--limit` and
`raised` move it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest that is allowed of each."""

    bytes: int = 2**20  # of a spec and what it imports, together
    files: int = 64
    digits: int = 60  # of a number, its exponent spelled out
    nesting: int = 64  # brackets; expressions; blocks, residuals and stacks
    steps: int = 250_000  # of evaluation, for one model; see Evaluator.step
    groups: int = 512  # of channels in one shift
    rows: int = 500  # of one study
    statements: int = 100_000  # after expansion, every iteration counted
    distinct: int = 10_000  # of them, equal iterations of a stack counted once
    parameters: int = 10**12
    map: int = 2**34  # bytes of one map in float32
    activation: int = 2**40  # bytes of all maps of one image in float32


# Beyond these Python's own stack, its conversion of numbers, and memory give way.
MOST = {"nesting": 256, "digits": 1000, "statements": 10**7}
NAMES = tuple(one.name for one in fields(Limits))
FLOAT_BYTES = 4

_DEFAULT = Limits()
_FRAMES = 100  # of Python's stack that one level of nesting may take

_current: ContextVar[Limits] = ContextVar("limits", default=_DEFAULT)


def limits() -> Limits:
    """What holds now."""
    return _current.get()


@contextmanager
def raised(**given: int) -> Iterator[Limits]:
    """Other limits inside `with`, such as `raised(statements=10**7)`.

    Raises `ValueError` for a name that is none and for what is out of range.
    """
    for name, value in given.items():
        if name not in NAMES:
            raise ValueError(f"there is no limit {name!r}; there is {', '.join(NAMES)}")
        most = MOST.get(name)
        if value < 1 or (most is not None and value > most):
            above = "" if most is None else f" to {most:,}"
            raise ValueError(f"{name} is a whole number from 1{above}")
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
