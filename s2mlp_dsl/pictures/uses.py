"""Where blocks are used, and which of them are alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

from s2mlp_dsl.ir.program import (
    Call,
    Kernels,
    Model,
    Op,
    Parallel,
    Region,
    Residual,
    Run,
    Shift,
    Stack,
    Statement,
    Value,
    bodies,
)
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

    def walk(body: Sequence[Statement], prefix: str, times: int) -> None:
        for statement in body:
            match statement:
                case Op() | Residual() | Parallel() | Region():
                    for inner in bodies(statement):
                        walk(inner, prefix, times)
                case Call():
                    run = Run(count=1, block=statement.block)
                    note(run, prefix + statement.name, times)
                case Stack():
                    for index, run in statement.indexed:
                        note(run, f"{prefix}{statement.name}.{index}", times)
                case _:
                    assert_never(statement)

    def note(run: Run, path: str, times: int) -> None:
        count = times * run.count
        known = found.get(run.block, Use(path, count, 0))
        found[run.block] = Use(known.path, known.times, known.count + count)
        walk(model.definitions[run.block].body, f"{path}.", count)

    walk(model.body, "", 1)
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

    def _body(self, body: Sequence[Statement]) -> tuple[object, ...]:
        return tuple(map(self._statement, body))

    def _statement(self, statement: Statement) -> object:
        match statement:
            case Op():
                words = [_word(value) for _, value in statement.args]
                return (statement.operator, *words)
            case Residual() | Region():
                return (statement.kind, *map(self._body, bodies(statement)))
            case Parallel():
                split = bool(statement.parts)
                return ("parallel", split, *map(self._body, bodies(statement)))
            case Call():
                return self.of(statement.block)
            case Stack():
                return ("stack", *(self.of(run.block) for run in statement.runs))
            case _:
                assert_never(statement)


def _count(body: Sequence[Statement]) -> int:
    return sum(sum(map(_count, bodies(one))) or 1 for one in body)


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
