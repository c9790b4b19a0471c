"""Where blocks are used, and which of them are alike."""

from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

from s2mlp_dsl.ir.program import (
    Body,
    Invocation,
    Kernels,
    Model,
    Op,
    Parallel,
    Shift,
    Statement,
    Value,
)
from s2mlp_dsl.ir.walk import walk
from s2mlp_dsl.pictures.shifts import moves_of

# A shorter block says as much opened as it would say closed.
LEAST_ALIKE = 4


@dataclass(frozen=True)
class Use:
    """Where a definition is first used, how often there and in the whole model."""

    path: str
    times: int
    count: int


def uses_of(model: Model) -> dict[str, Use]:
    """Every definition that is used, in the order of its first use."""
    found: dict[str, Use] = {}
    for visit in walk(model):
        for path, run in visit.runs:
            count = visit.count * run.count
            known = found.get(run.block, Use(path, count, 0))
            found[run.block] = Use(known.path, known.times, known.count + count)
    return found


class Kinds:
    """What definitions are apart from numbers and labels."""

    def __init__(self, model: Model) -> None:
        self._definitions = model.definitions
        self._known: dict[str, object] = {}

    def of(self, name: str) -> object:
        """Equal for blocks that differ in sizes only; a short one is like none."""
        if name not in self._known:
            block = self._definitions[name]
            inside = self._body(block.body)
            short = _count(block.body) < LEAST_ALIKE
            self._known[name] = (block.inline, name if short else inside)
        return self._known[name]

    def _body(self, body: Body) -> tuple[object, ...]:
        return tuple(map(self._statement, body))

    def _statement(self, statement: Statement) -> object:
        if isinstance(statement, Op):
            words = [_word(value) for _, value in statement.args]
            return (statement.operator, *words)
        if isinstance(statement, Invocation):
            return (statement.kind, *(self.of(run.block) for run in statement.runs))
        split = isinstance(statement, Parallel) and bool(statement.parts)
        return (statement.kind, split, *map(self._body, statement.bodies))


def _count(body: Body) -> int:
    return sum(sum(map(_count, statement.bodies)) or 1 for statement in body)


def _word(value: Value) -> object:
    """What an argument says beside its size."""
    match value:
        case Shift():
            return moves_of(value)
        case str():
            return value
        case Kernels():
            return value
        case int() | Fraction():
            return "number"
        case _:
            assert_never(value)
