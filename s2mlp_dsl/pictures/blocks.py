"""Where blocks are used, and which of them are alike."""

from dataclasses import dataclass
from fractions import Fraction

from s2mlp_dsl.ir.program import (
    Body,
    Invocation,
    Model,
    Op,
    Parallel,
    Shift,
    Statement,
    Value,
)
from s2mlp_dsl.ir.walk import walk, within
from s2mlp_dsl.pictures.shifts import moves_of

# A shorter block takes no more room opened than closed.
LEAST_ALIKE = 4


@dataclass(frozen=True)
class Use:
    """The first use of a block: its path, and how often the block runs there.

    `count` is how often it runs in the whole model.
    """

    block: str
    path: str
    times: int
    count: int


def uses_of(model: Model) -> dict[str, Use]:
    """Every block that is used, in the order of first use."""
    found: dict[str, Use] = {}
    for visit in walk(model):
        for path, run in visit.runs:
            name, times = run.block, visit.count * run.count
            use = found.get(name, Use(name, path, times, 0))
            found[name] = Use(name, use.path, use.times, use.count + times)
    return found


class BlockKinds:
    """What blocks are apart from sizes and labels."""

    def __init__(self, model: Model) -> None:
        self._definitions = model.definitions
        self._known: dict[str, object] = {}

    def of(self, name: str) -> object:
        """Equal for blocks that differ in sizes alone; a short one is like no other."""
        if name not in self._known:
            block = self._definitions[name]
            inner = sum(not statement.bodies for statement in within(block.body))
            kind = name if inner < LEAST_ALIKE else self._body(block.body)
            self._known[name] = (block.inline, kind)
        return self._known[name]

    def _body(self, body: Body) -> object:
        return tuple(map(self._statement, body))

    def _statement(self, statement: Statement) -> object:
        if isinstance(statement, Op):
            values = (_without_size(value) for _, value in statement.args)
            return (statement.operator, *values)
        if isinstance(statement, Invocation):
            return (statement.kind, *(self.of(run.block) for run in statement.runs))
        split = isinstance(statement, Parallel) and bool(statement.parts)
        return (statement.kind, split, *map(self._body, statement.bodies))


def _without_size(value: Value) -> object:
    """What an argument says apart from sizes."""
    if isinstance(value, Shift):
        return moves_of(value)
    return "number" if isinstance(value, int | Fraction) else value
