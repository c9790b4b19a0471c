"""Where blocks are used, and which of them are alike."""

from dataclasses import dataclass
from fractions import Fraction

from s2mlp_dsl.ir import program as ir
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


def uses_of(model: ir.Model) -> dict[str, Use]:
    """Every block that is used, in the order of first use."""
    found: dict[str, Use] = {}
    for visit in walk(model):
        for path, run in visit.runs:
            name, times = run.block, visit.count * run.count
            use = found.get(name, Use(name, path, times, 0))
            found[name] = Use(name, use.path, use.times, use.count + times)
    return found


def kinds_of(model: ir.Model) -> dict[str, object]:
    """What each block is apart from sizes and labels; a short one is like no other."""
    kinds: dict[str, object] = {}

    def kind_of(statement: ir.Statement) -> object:
        if isinstance(statement, ir.Op):
            values = (_without_size(value) for _, value in statement.args)
            return (statement.operator, *values)
        if isinstance(statement, ir.Invocation):
            return (statement.kind, *(kinds[run.block] for run in statement.runs))
        split = isinstance(statement, ir.Parallel) and bool(statement.parts)
        inside = (tuple(map(kind_of, body)) for body in statement.bodies)
        return (statement.kind, split, *inside)

    for block in model.blocks:  # each before its first use
        count = sum(not statement.bodies for statement in within(block.body))
        inside = tuple(map(kind_of, block.body)) if count >= LEAST_ALIKE else block.name
        kinds[block.name] = (block.inline, inside)
    return kinds


def _without_size(value: ir.Value) -> object:
    """What an argument says apart from sizes."""
    if isinstance(value, ir.Shift):
        return moves_of(value)
    return "number" if isinstance(value, int | Fraction) else value
