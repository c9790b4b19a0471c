"""Receptive fields: the positions of the first map that a position depends on.

Exact for almost all weights, in evaluation mode (the language's sixth law).
Relations are kept per channel group, so two shifts in a row reach four
positions, not nine.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
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
from s2mlp_dsl.analysis.work import (
    LISTING,
    ROWS_PER_PART,
    TooLarge,
    Work,
    listed,
    parts_made,
    rows_of,
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
from s2mlp_dsl.operators import ReceptiveField as OperatorReceptiveField
from s2mlp_dsl.operators import applied

# A relation has positions × positions of the first map bits for each channel group;
# beyond these limits it is not computed.
MOST_POSITIONS = 2**16
MOST_BITS = 2**30
MOST_CHANNELS = 2**16
MOST_STEPS = 1024
_MOST_LISTED = 4 * MOST_POSITIONS  # positions of any map after the first
_BITS_PER_ROW = 2**14  # joined in the time that a row takes, however short
_BITS_PER_PLACE = 64  # where a group of channels holds a row that it shares
_NOTED = 4  # rows read in the time in which one is joined and counted
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
    model: Model, content: bool = False, work: Work | None = None
) -> ReceptiveField | None:
    """The receptive field of a model, None where its maps are too large to relate.

    With `content`, weights and statistics computed from the map count as constants.
    Analyses that share `work` have no more of it together than one alone.
    """
    tracker = _tracked(model, content, work=work)
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


class StatementReads:
    """What single statements of a model read, as far as there is work left for it."""

    def __init__(self, model: Model, work: Work | None = None) -> None:
        self._model, self._work = model, work or Work()
        self._products = _has_products(model)

    def most(self, statement: Statement, source: Shape) -> int | None:
        """The largest receptive field of one alone, in positions of its input.

        None where the map is too large to relate, or no work is left.
        """
        if positions(source) > MOST_POSITIONS or source.channels > MOST_CHANNELS:
            return None
        tracker = _Tracker(self._model, source, self._products, work=self._work)
        try:
            return tracker.follow((statement,)).most
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
    model: Model,
    content: bool = False,
    recorded: bool = False,
    work: Work | None = None,
) -> "_Tracker | None":
    """A tracker that has followed the model from its first map to its end."""
    visit = embedding(model)
    start = visit.op.result
    if positions(start) > MOST_POSITIONS or start.channels > MOST_CHANNELS:
        return None
    products = _has_products(model)
    tracker = _Tracker(model, start, products, content, recorded, visit.path, work)
    try:
        tracker.follow(model.body)
    except TooLarge:
        return None
    return tracker


def _has_products(model: Model) -> bool:
    """Whether constants matter: 0 times anything is 0."""
    merges = (op for op in ops_in(model) if applied(op).role == "merge")
    return any(applied(op).receptive_field().product for op in merges)


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
        products: bool,
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
        self._constant = 1 << self.count if products else None
        self._reads: dict[Hashable, tuple[OperatorReceptiveField, int]] = {}
        self._work = work or Work()

    @cached_property
    def _repeats(self) -> dict[str, bool]:
        return fold_blocks(self.model, _repeats)

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
        if (content := op.content) not in self._reads:
            reads = self._receptive_field(op, op.source)
            self._reads[content] = reads, rows_of(reads, op.source)
        reads, rows = self._reads[content]
        made = parts_made(reads, value, op.result)
        pairs = len(reads.parts) * len(value.parts)
        self._work.spend(ROWS_PER_PART * (made + len(value.parts)) + pairs)
        if reads.moves is None:
            self._spend(rows * len(value.parts))
            self._require(positions(op.result) * made)
        elif not is_uniform(value):
            self._require(positions(op.source))
            places = positions(op.result) * made
            self._work.spend(places)
            self._require_bits(_BITS_PER_PLACE * places + made * op.result.channels)
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
        self._work.spend(len(value.parts) * len(branch.parts))
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
        announced = operator.listed_reads()
        self._work.spend(LISTING * announced)
        if positions(op.result) > _MOST_LISTED:
            raise TooLarge
        if (
            positions(source) > _QUICK
            and positions(op.result) * self.count > MOST_BITS
            and operator.properties().reads != "position"
        ):
            raise TooLarge
        reads = operator.receptive_field()
        self._work.spend(LISTING * max(listed(reads) - announced, 0))
        if self.content and reads.content is not None:
            return reads.content
        return reads

    def _require(self, rows: int) -> None:
        """Raise `TooLarge` where so many rows would need too much memory."""
        self._require_bits(rows * self.count)

    def _require_bits(self, bits: int) -> None:
        if bits > MOST_BITS:
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
        self._spend(_NOTED * sum(len(rows) for _, rows in relation.parts))
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
