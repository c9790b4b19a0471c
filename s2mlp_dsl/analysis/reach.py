"""Reach: which positions of the first map a position here depends on.

Exact for almost all weights, in evaluation mode (the language's sixth law). A
relation is kept per channel group until an operator mixes channels, so two
shifts in a row reach four positions, not nine. A set of positions is one
integer with a bit per position.
"""

from dataclasses import dataclass

from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.ir.program import Call, Model, Op, Residual, Stack, Statement
from s2mlp_dsl.ir.shape import Map, Shape, positions
from s2mlp_dsl.ops import OPERATORS, Args
from s2mlp_dsl.ops.reach import Part
from s2mlp_dsl.ops.reach import Reach as OperatorReach

# Relations are positions × positions bits; beyond this they are not computed.
MOST_POSITIONS = 1024
MOST_CHANNELS = 2**16
MOST_STEPS = 1024
MOST_WORK = 1_000_000  # rows read and joined, all statements together

# For each position, the set of source positions.
Rows = tuple[int, ...]


@dataclass(frozen=True)
class Relation:
    """Channel groups (bit masks, disjoint, together all) with their rows."""

    parts: tuple[tuple[int, Rows], ...]

    @property
    def rows(self) -> Rows:
        """For each position, what any of its channels depends on."""
        first, *others = (rows for _, rows in self.parts)
        for rows in others:
            first = tuple(a | b for a, b in zip(first, rows, strict=True))
        return first


class Reached(Record):
    """How much of the first map is seen after some iterations.

    `least` and `most` count the source positions that the worst and the best
    position sees.
    """

    iteration: int
    least: int
    most: int


class Reach(Record):
    """The reach of a model.

    `grid` is [height, width] of the first map after `patch`. `steps` has an
    entry per iteration of the innermost stacks, counted through the model, up
    to the first that changes nothing more. `full` is the first iteration after
    which every position sees every position.
    """

    grid: tuple[int, int]
    iterations: int
    steps: tuple[Reached, ...]
    full: int | None


def identity(shape: Shape) -> Relation:
    everything = (1 << shape.channels) - 1
    return Relation(((everything, tuple(1 << p for p in range(positions(shape)))),))


def analyze_reach(model: Model) -> Reach | None:
    """The reach of a model, None where its first map is too large to relate."""
    start = first_map(model)
    if start is None or start.result.channels > MOST_CHANNELS:
        return None
    walker = Walker(model, start)
    try:
        walker.run()
    except TooLarge:
        return None
    shape = start.result
    assert isinstance(shape, Map)
    return Reach(
        grid=(shape.height, shape.width),
        iterations=walker.iterations,
        steps=tuple(walker.steps),
        full=walker.full,
    )


def seen_after(model: Model) -> list[Rows]:
    """For each of `Reach.steps`, what every position there sees.

    A set of positions is a number with a bit per position of the first map.
    Empty where `analyze_reach` is None.
    """
    start = first_map(model)
    if start is None:
        return []
    walker = Walker(model, start)
    try:
        walker.run()
    except TooLarge:
        return []
    return walker.history


def first_map(model: Model) -> Op | None:
    """The statement whose map is the first: `patch`, else the image."""
    ops = [one for one in model.body if isinstance(one, Op)]
    embeds = [op for op in ops if OPERATORS[op.operator].role == "embed"]
    start = (embeds or ops)[0]
    return start if positions(start.result) <= MOST_POSITIONS else None


class TooLarge(Exception):
    """The relation would need more memory or time than it is worth."""


class Walker:
    """Carries a relation through a model and notes what each iteration sees."""

    def __init__(self, model: Model, start: Op) -> None:
        self.model, self.start = model, start
        self.iterations = 0
        self.steps: list[Reached] = []
        self.full: int | None = None
        self.history: list[Rows] = []
        self.relation = identity(start.result)
        self._reach: dict[int, tuple[OperatorReach, int]] = {}
        self._work = 0
        self.all = (1 << positions(start.result)) - 1

    def run(self) -> None:
        at = self.model.body.index(self.start)
        self._body(self.model.body[at + 1 :])

    def _body(self, body: tuple[Statement, ...]) -> None:
        for statement in body:
            match statement:
                case Op():
                    self.relation = self._through(statement)
                case Residual():
                    before = self.relation
                    self._body(statement.body)
                    rows = len(self.relation.parts[0][1])
                    self._spend(rows * len(before.parts) * len(self.relation.parts))
                    self.relation = union(before, self.relation)
                case Call():
                    self._body(self.model.definitions[statement.block].body)
                case Stack():
                    self._stack(statement)

    def _through(self, op: Op) -> Relation:
        """The relation after an operator; its facts are asked for once."""
        assert op.source is not None
        if max(op.source.channels, op.result.channels) > MOST_CHANNELS:
            raise TooLarge
        if id(op) not in self._reach:
            operator = OPERATORS[op.operator]
            reach = operator.reach(op.source, Args(dict(op.args)))
            self._reach[id(op)] = reach, _reads(reach, positions(op.source))
            self._spend(self._reach[id(op)][1])
        reach, reads = self._reach[id(op)]
        self._spend(reads * len(self.relation.parts))
        return apply(op, reach, self.relation)

    def _spend(self, rows: int) -> None:
        self._work += rows
        if self._work > MOST_WORK:
            raise TooLarge

    def _stack(self, stack: Stack) -> None:
        for run in stack.runs:
            body = self.model.definitions[run.block].body
            innermost = not _holds_stack(self.model, body)
            for number in range(run.count):
                before, counted = self.relation, self.iterations
                self._body(body)
                if innermost:
                    self._note()
                if self.relation == before:
                    # What follows of this run changes nothing either.
                    self.iterations += (run.count - number - 1) * (
                        self.iterations - counted
                    )
                    break
                if len(self.steps) > MOST_STEPS:
                    raise TooLarge

    def _note(self) -> None:
        self.iterations += 1
        self._spend(sum(len(rows) for _, rows in self.relation.parts))
        rows = self.relation.rows
        self.history.append(rows)
        sizes = [row.bit_count() for row in rows]
        self.steps.append(
            Reached(iteration=self.iterations, least=min(sizes), most=max(sizes))
        )
        if self.full is None and all(row == self.all for row in rows):
            self.full = self.iterations


def _holds_stack(model: Model, body: tuple[Statement, ...]) -> bool:
    return any(
        isinstance(one, Stack)
        or (isinstance(one, Residual) and _holds_stack(model, one.body))
        or (
            isinstance(one, Call)
            and _holds_stack(model, model.definitions[one.block].body)
        )
        for one in body
    )


def apply(op: Op, reach: OperatorReach, before: Relation) -> Relation:
    """The relation after an operator, given the one before it."""
    assert op.source is not None
    everything = (1 << op.source.channels) - 1
    after: dict[Rows, int] = {}
    for part in reach.parts:
        wanted = everything if part.channels is None else part.channels
        for channels, rows in before.parts:
            shared = channels & wanted
            if shared:
                read = _read(part, rows)
                after[read] = after.get(read, 0) | shared
    relation = Relation(tuple((mask, rows) for rows, mask in after.items()))
    if reach.mixes:
        mixed = (1 << op.result.channels) - 1
        return Relation(((mixed, relation.rows),))
    return relation


def union(one: Relation, other: Relation) -> Relation:
    """What a sum of two maps depends on, channel by channel."""
    after: dict[Rows, int] = {}
    for mask_one, rows_one in one.parts:
        for mask_other, rows_other in other.parts:
            shared = mask_one & mask_other
            if shared:
                rows = tuple(a | b for a, b in zip(rows_one, rows_other, strict=True))
                after[rows] = after.get(rows, 0) | shared
    return Relation(tuple((mask, rows) for rows, mask in after.items()))


def _reads(reach: OperatorReach, positions: int) -> int:
    """How many rows an operator reads, all its parts and positions together."""
    return sum(
        positions if isinstance(part.reads, str) else sum(map(len, part.reads))
        for part in reach.parts
    )


def _read(part: Part, rows: Rows) -> Rows:
    if part.reads == "here":
        return rows
    if part.reads == "all":
        everything = 0
        for row in rows:
            everything |= row
        return (everything,) * len(rows)
    read = []
    for sources in part.reads:
        if len(sources) == 1:
            read.append(rows[sources[0]])
            continue
        seen = 0
        for source in sources:
            seen |= rows[source]
        read.append(seen)
    return tuple(read)
