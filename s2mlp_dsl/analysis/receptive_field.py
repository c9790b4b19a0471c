"""Receptive fields: the positions of the first map that a position depends on.

Exact for almost all weights, in evaluation mode (the language's sixth law).
Relations are kept per channel group, so two shifts in a row reach four
positions, not nine.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

from s2mlp_dsl.analysis.relation import (
    Relation,
    Rows,
    apply,
    identity,
    is_uniform,
    side_by_side,
    slice_of,
    union,
    without_constants,
)
from s2mlp_dsl.ir.flow import Flow
from s2mlp_dsl.ir.program import (
    Body,
    Call,
    Composite,
    Invocation,
    Model,
    Op,
    Parallel,
    Residual,
    Statement,
)
from s2mlp_dsl.ir.shape import Shape, positions
from s2mlp_dsl.ir.walk import Visit, fold_blocks, occurrences, ops_in, within
from s2mlp_dsl.operators import Grid, Table, applied
from s2mlp_dsl.operators import ReceptiveField as OperatorReceptiveField

# A relation has positions × positions of the first map bits for each channel group;
# beyond these limits it is not computed.
MOST_POSITIONS = 2**16
MOST_BITS = 2**30
MOST_CHANNELS = 2**16
MOST_STEPS = 1024
_MOST_LISTED = 4 * MOST_POSITIONS  # positions of any map after the first
MOST_WORK = 8_000_000  # rows read and joined, all statements together
_LISTING = 6  # rows read in the time in which an operator lists one
_MOVES_PER_ROW = 4  # entries moved in the time that a row takes
_BITS_PER_ROW = 2**14  # joined in the time that a row takes, however short
_QUICK = 2**12  # positions for which an operator lists quickly what it reads


@dataclass(frozen=True, slots=True)
class Reached:
    """The receptive field after an iteration.

    `least` and `most` count the positions of the first map that the position with the
    smallest and the largest receptive field depends on.
    """

    iteration: int
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """The receptive field of a model.

    `grid` is [time?, height, width] of the first map. `steps` has an entry per
    iteration of the innermost stacks, counted through the model, up to the first that
    changes nothing more. `full` is the first iteration after which every position
    depends on every position, None if there is none.
    """

    grid: tuple[int, ...]
    iterations: int
    steps: tuple[Reached, ...]
    full: int | None


def analyze_receptive_field(
    model: Model, content: bool = False
) -> ReceptiveField | None:
    """The receptive field of a model, None where its maps are too large to relate.

    With `content`, weights and statistics computed from the map count as constants.
    """
    tracker = _tracked(model, content)
    if tracker is None:
        return None
    return ReceptiveField(
        grid=tracker.start.dims[:-1],
        iterations=tracker.iterations,
        steps=tuple(tracker.steps),
        full=tracker.full,
    )


def seen_after(model: Model) -> list[Rows]:
    """For each of `ReceptiveField.steps`, what every position depends on there.

    A set of positions is an integer with a bit per position of the first map. Empty
    where `analyze_receptive_field` returns None.
    """
    tracker = _tracked(model, recorded=True)
    return [] if tracker is None else tracker.history


def seen_by(model: Model) -> dict[str, int]:
    """The largest receptive field after each statement, in positions of the first map.

    By path as `walk` has it, after the last iteration. Statements before the first map
    are left out; empty where `analyze_receptive_field` returns None.
    """
    tracker = _tracked(model, recorded=True)
    if tracker is None:
        return {}
    return {path: relation.most for path, relation in tracker.after.items()}


def output_relation(model: Model) -> Relation | None:
    """What each position and channel of the output depends on, in the first map.

    None where `analyze_receptive_field` returns None.
    """
    tracker = _tracked(model)
    return None if tracker is None else tracker.relation


class Work:
    """Counts rows read and joined, by all analyses that share it."""

    def __init__(self) -> None:
        self._rows = 0

    def spend(self, rows: int) -> None:
        """Raise `TooLarge` where it becomes too much."""
        self._rows += rows
        if self._rows > MOST_WORK:
            raise TooLarge


def reads_through(
    model: Model, statement: Statement, source: Shape, work: Work
) -> int | None:
    """The largest receptive field of one statement alone, in positions of its input.

    None where the map is too large to relate, or no work is left.
    """
    if positions(source) > MOST_POSITIONS or source.channels > MOST_CHANNELS:
        return None
    try:
        return _Tracker(model, source, work=work).follow((statement,)).most
    except TooLarge:
        return None


def first_map(model: Model) -> Op | None:
    """The statement whose output is the first map: `patch`, else the image.

    None where it is too large to relate.
    """
    start = embedding(model).op
    return start if positions(start.result) <= MOST_POSITIONS else None


def embedding(model: Model) -> Visit:
    """The statement that makes the first map: `patch`, else the one with the image.

    It is the first that is executed, in whatever block. What is inside a residual, a
    branch or a region is not the whole map.
    """
    image, *visits = occurrences(model)
    for visit in visits:
        inside = any(isinstance(outer, Composite) for outer in visit.around)
        if not inside and applied(visit.op).role == "embed":
            return visit
    return image


def _tracked(
    model: Model, content: bool = False, recorded: bool = False
) -> "_Tracker | None":
    """A tracker that has followed the model from its first map to its end."""
    visit = embedding(model)
    start = visit.op.result
    if positions(start) > MOST_POSITIONS or start.channels > MOST_CHANNELS:
        return None
    tracker = _Tracker(model, start, content, recorded, after=visit.path)
    try:
        tracker.follow(model.body)
    except TooLarge:
        return None
    return tracker


class TooLarge(Exception):
    """The relation would need more memory or time than it is worth."""


class _Tracker(Flow[Relation]):
    """Carries a relation through a model and notes the receptive field of iterations.

    With `recorded`, the relations after each iteration and statement are kept. What is
    executed before the statement at the path `after`, whose output is the first map, is
    passed over.
    """

    def __init__(
        self,
        model: Model,
        start: Shape,
        content: bool = False,
        recorded: bool = False,
        after: str | None = None,
        work: Work | None = None,
    ) -> None:
        super().__init__(model)
        self._start_path, self._started = after, after is None
        self.start, self.content, self.recorded = start, content, recorded
        self.relation = identity(start)
        self.iterations = 0
        self.steps: list[Reached] = []
        self.full: int | None = None
        self.history: list[Rows] = []
        self.after: dict[str, Relation] = {}
        self.count = positions(start)
        self._everything = (1 << self.count) - 1
        merges = (op for op in ops_in(model) if applied(op).role == "merge")
        products = any(applied(op).receptive_field().product for op in merges)
        self._constant = 1 << self.count if products else None
        self._reads: dict[int, tuple[OperatorReceptiveField, int]] = {}
        self._work = work or Work()
        self._repeats = fold_blocks(model, _repeats)

    def follow(self, body: Body) -> Relation:
        """The relation after a body that begins with the first map, or before it."""
        self.relation = self._of_positions(self.body(body, self.relation))
        return self.relation

    def op(self, op: Op, value: Relation, path: str) -> Relation:
        """The relation after an operator, which is asked once what it reads."""
        if not self._started:
            self._started = path == self._start_path
            if self._started and self.recorded:
                self.after[path] = value
            return value
        assert op.source is not None
        if max(op.source.channels, op.result.channels) > MOST_CHANNELS:
            raise TooLarge
        if id(op) not in self._reads:
            self._spend(0)  # before anything is listed in vain
            reads = self._receptive_field(op, op.source)
            self._reads[id(op)] = reads, _rows_of(reads, op.source)
            self._spend(_listing(reads))
        reads, rows = self._reads[id(op)]
        if reads.moves is None or not is_uniform(value):
            self._spend(rows * len(value.parts))
            if reads.moves is not None:
                self._require(positions(op.source))
        self._require(positions(op.result) * _parts_made(reads, value))
        after = apply(op, reads, value, self._constant)
        if self.recorded:
            self.after[path] = self._of_positions(after)
        return after

    def statement(self, statement: Statement, value: Relation, prefix: str) -> Relation:
        if not self._started and isinstance(statement, Composite):
            return value  # the first map is made elsewhere
        return super().statement(statement, value, prefix)

    def add(self, residual: Residual, value: Relation, branch: Relation) -> Relation:
        rows = len(value.parts[0][1])
        shared = sum(
            bool(channels & others)
            for channels, _ in value.parts
            for others, _ in branch.parts
        )
        self._spend(rows * shared)
        self._require(rows * shared)
        return union(value, branch)

    def split(self, parallel: Parallel, value: Relation) -> list[Relation]:
        if not parallel.parts:
            return [value] * len(parallel.branches)
        starts = accumulate(parallel.parts, initial=0)
        return [
            slice_of(value, start, part)
            for start, part in zip(starts, parallel.parts, strict=False)
        ]

    def join(self, parallel: Parallel, outputs: list[Relation]) -> Relation:
        return side_by_side(outputs)

    def invocation(
        self, statement: Invocation, value: Relation, prefix: str
    ) -> Relation:
        if isinstance(statement, Call):
            return super().invocation(statement, value, prefix)
        for module, run in statement.modules():
            body = self.model.definitions[run.block].body
            for number in range(run.count):
                before, counted = value, self.iterations
                started = self._started
                value = self.body(body, value, f"{prefix}{module}.")
                if self._started and not self._repeats[run.block]:  # innermost
                    self._note(value)
                if value == before and started == self._started:
                    # The rest of the run changes nothing either.
                    rest = run.count - number - 1
                    self.iterations += rest * (self.iterations - counted)
                    break
                if len(self.steps) > MOST_STEPS:
                    raise TooLarge
        return value

    def _receptive_field(self, op: Op, source: Shape) -> OperatorReceptiveField:
        """What an operator reads. On a large map it is not asked for too much."""
        operator = applied(op)
        if operator.listed_reads() > MOST_WORK or positions(op.result) > _MOST_LISTED:
            raise TooLarge
        if (
            positions(source) > _QUICK
            and positions(op.result) * self.count > MOST_BITS
            and operator.properties().reads != "position"
        ):
            raise TooLarge
        reads = operator.receptive_field()
        if self.content and reads.content is not None:
            return reads.content
        return reads

    def _require(self, rows: int) -> None:
        """Raise `TooLarge` where so many rows would need too much memory."""
        if rows * self.count > MOST_BITS:
            raise TooLarge

    def _spend(self, rows: int) -> None:
        """Count work, and raise `TooLarge` where it becomes too much."""
        self._work.spend(rows + rows * self.count // _BITS_PER_ROW)

    def _of_positions(self, relation: Relation) -> Relation:
        if self._constant is None:
            return relation
        return without_constants(relation, self._constant)

    def _note(self, relation: Relation) -> None:
        self.iterations += 1
        self._spend(sum(len(rows) for _, rows in relation.parts))
        rows = self._of_positions(relation).rows
        if self.recorded:
            self.history.append(rows)
        sizes = [row.bit_count() for row in rows]
        self.steps.append(Reached(self.iterations, min(sizes), max(sizes)))
        if self.full is None and all(row == self._everything for row in rows):
            self.full = self.iterations


def _repeats(body: Body, definitions: Mapping[str, bool]) -> bool:
    """Whether a body has iterations, itself or in the blocks that it calls."""
    return any(
        not isinstance(statement, Call) or definitions[statement.block]
        for statement in within(body)
        if isinstance(statement, Invocation)
    )


def _parts_made(reads: OperatorReceptiveField, before: Relation) -> int:
    """How many channel groups get rows of their own."""
    return sum(
        part.channels is None or bool(part.channels & channels)
        for part in reads.parts
        if not isinstance(part.reads, str)
        for channels, _ in before.parts
    )


def _rows_of(reads: OperatorReceptiveField, source: Shape) -> int:
    """How many rows an operator reads, all its parts and positions together."""
    count = positions(source)
    if reads.moves is not None:
        return count * source.channels // _MOVES_PER_ROW
    return sum(_rows_read(part.reads, count) for part in reads.parts)


def _listing(reads: OperatorReceptiveField) -> int:
    """What it takes to list what is read, as so many rows."""
    tables = (one.reads for one in reads.parts if isinstance(one.reads, tuple))
    return _LISTING * sum(map(len, tables))


def _rows_read(reads: str | Table | Grid, count: int) -> int:
    match reads:
        case str():
            return count
        case Grid(frames, height, _, rows, columns):
            across = height * sum(map(len, columns))
            return frames * (across + len(columns) * sum(map(len, rows)))
        case _:
            return sum(map(len, reads))
