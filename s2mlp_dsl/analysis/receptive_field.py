"""Reach: which positions of the first map a position here depends on.

Exact for almost all weights, in evaluation mode (the language's sixth law).
Relations are kept per channel group, so two shifts in a row reach four
positions, not nine.
"""

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
)
from s2mlp_dsl.ir.program import (
    Call,
    Model,
    Op,
    Parallel,
    Region,
    Residual,
    Stack,
    Statement,
    bodies,
)
from s2mlp_dsl.ir.shape import Shape, positions
from s2mlp_dsl.operators import applied
from s2mlp_dsl.operators.receptive_field import Grid, Table
from s2mlp_dsl.operators.receptive_field import ReceptiveField as OperatorReceptiveField

# A relation has positions × positions of the first map bits for each channel group;
# beyond these it is not computed.
MOST_POSITIONS = 2**16
MOST_BITS = 2**30
MOST_CHANNELS = 2**16
MOST_STEPS = 1024
MOST_WORK = 8_000_000  # rows read and joined, all statements together
_MOVES_PER_ROW = 4  # entries moved in the time that a row takes
_BITS_PER_ROW = 2**14  # joined in the time that a row takes, however short
_QUICK = 2**12  # positions that an operator says quickly what it reads of


@dataclass(frozen=True, slots=True)
class Reached:
    """How much of the first map is seen after some iterations.

    `least` and `most` count the source positions that the worst and the best
    position sees.
    """

    iteration: int
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """The receptive field of a model.

    `grid` is [time?, height, width] of the first map after `patch`. `steps` has an
    entry per iteration of the innermost stacks, counted through the model, up
    to the first that changes nothing more. `full` is the first iteration after
    which every position sees every position.
    """

    grid: tuple[int, ...]
    iterations: int
    steps: tuple[Reached, ...]
    full: int | None


def analyze_receptive_field(
    model: Model, content: bool = False
) -> ReceptiveField | None:
    """The receptive field of a model, None where its first map is too large to relate.

    With `content`, weights and statistics computed from the map are held
    constant.
    """
    start = first_map(model)
    if start is None or start.result.channels > MOST_CHANNELS:
        return None
    walker = Walker(model, start.result, content)
    try:
        walker.run(start)
    except TooLarge:
        return None
    return ReceptiveField(
        grid=start.result.dims[:-1],
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
    walker = Walker(model, start.result, recorded=True)
    try:
        walker.run(start)
    except TooLarge:
        return []
    return walker.history


def seen_by(model: Model) -> dict[str, int]:
    """Most positions of the first map that a position sees after each statement.

    By path as `occurrences` has them, after the last iteration. Statements
    before the first map are left out; empty where `analyze_reach` is None.
    """
    start = first_map(model)
    if start is None:
        return {}
    walker = Walker(model, start.result, recorded=True)
    try:
        walker.run(start)
    except TooLarge:
        return {}
    return {
        path: max(row.bit_count() for row in relation.rows)
        for path, relation in walker.after.items()
    }


def reads_through(model: Model, statement: Statement, source: Shape) -> int | None:
    """Most positions that a position reads through one statement alone.

    None where the map is too large to relate.
    """
    if positions(source) > MOST_POSITIONS or source.channels > MOST_CHANNELS:
        return None
    walker = Walker(model, source)
    try:
        walker.through((statement,))
    except TooLarge:
        return None
    return max(row.bit_count() for row in walker.relation.rows)


def first_map(model: Model) -> Op | None:
    """The statement whose map is the first: `patch`, else the image."""
    ops = [one for one in model.body if isinstance(one, Op)]
    embeds = [op for op in ops if applied(op).role == "embed"]
    start = (embeds or ops)[0]
    return start if positions(start.result) <= MOST_POSITIONS else None


class TooLarge(Exception):
    """The relation would need more memory or time than it is worth."""


class Walker:
    """Carries a relation through a model and notes what each iteration sees.

    What is `recorded` is kept: what all positions see after each iteration, and
    after each statement.
    """

    def __init__(
        self,
        model: Model,
        source: Shape,
        content: bool = False,
        recorded: bool = False,
    ) -> None:
        self.content, self.recorded = content, recorded
        self.model = model
        self.iterations = 0
        self.steps: list[Reached] = []
        self.full: int | None = None
        self.history: list[Rows] = []
        self.relation = identity(source)
        self.at = ""  # the prefix of the paths of what is walked now
        self.after: dict[str, Relation] = {}
        self._receptive_field: dict[int, tuple[OperatorReceptiveField, int]] = {}
        self._work = 0
        self.count = positions(source)
        self.all = (1 << self.count) - 1

    def run(self, start: Op) -> None:
        """From the first map to the end."""
        if self.recorded:
            self.after[start.name] = self.relation
        self.through(self.model.body[self.model.body.index(start) + 1 :])

    def through(self, body: tuple[Statement, ...]) -> None:
        """Carry the relation on. Raises `TooLarge`."""
        for statement in body:
            match statement:
                case Op():
                    self.relation = self._through(statement)
                case Residual():
                    before = self.relation
                    self.through(statement.body)
                    rows = len(self.relation.parts[0][1])
                    shared = sum(
                        1
                        for one, _ in before.parts
                        for other, _ in self.relation.parts
                        if one & other
                    )
                    self._spend(rows * shared)
                    self._hold(rows * shared)
                    self.relation = union(before, self.relation)
                case Parallel():
                    self._parallel(statement)
                case Region():
                    self.through(statement.sequence)
                case Call():
                    self._block(statement.name, statement.block)
                case Stack():
                    self._stack(statement)

    def _block(self, name: str, block: str) -> None:
        before = self.at
        self.at = f"{before}{name}."
        self.through(self.model.definitions[block].body)
        self.at = before

    def _parallel(self, parallel: Parallel) -> None:
        """Each branch from what enters it; the results side by side, fused."""
        before, left = self.relation, []
        starts = accumulate(parallel.parts, initial=0)
        entering = [
            slice_of(before, start, part)
            for start, part in zip(starts, parallel.parts, strict=False)
        ] or [before] * len(parallel.branches)
        for branch, one in zip(parallel.branches, entering, strict=True):
            self.relation = one
            self.through(branch)
            left.append(self.relation)
        self.relation = side_by_side(left)
        self.relation = self._through(parallel.merge)

    def _through(self, op: Op) -> Relation:
        """The relation after an operator; its facts are asked for once."""
        assert op.source is not None
        if max(op.source.channels, op.result.channels) > MOST_CHANNELS:
            raise TooLarge
        if id(op) not in self._receptive_field:
            receptive_field = self._facts(op, op.source)
            self._receptive_field[id(op)] = (
                receptive_field,
                _reads(receptive_field, op.source),
            )
            self._spend(self._receptive_field[id(op)][1])
        receptive_field, reads = self._receptive_field[id(op)]
        if receptive_field.moves is None or not is_uniform(self.relation):
            self._spend(reads * len(self.relation.parts))
            if receptive_field.moves is not None:
                self._hold(positions(op.source))
        self._hold(positions(op.result) * self._parts_made(receptive_field))
        after = apply(op, receptive_field, self.relation)
        if self.recorded:
            self.after[self.at + op.name] = after
        return after

    def _facts(self, op: Op, source: Shape) -> OperatorReceptiveField:
        """What an operator reads. On a large map it is not asked what is too much."""
        operator = applied(op)
        if (
            positions(source) > _QUICK
            and positions(op.result) * self.count > MOST_BITS
            and operator.properties().reads != "position"
        ):
            raise TooLarge
        receptive_field = operator.receptive_field()
        if self.content and receptive_field.content is not None:
            return receptive_field.content
        return receptive_field

    def _parts_made(self, receptive_field: OperatorReceptiveField) -> int:
        """How many channel groups get rows of their own."""
        return sum(
            part.channels is None or bool(part.channels & mask)
            for part in receptive_field.parts
            if not isinstance(part.reads, str)
            for mask, _ in self.relation.parts
        )

    def _hold(self, rows: int) -> None:
        if rows * self.count > MOST_BITS:
            raise TooLarge

    def _spend(self, rows: int) -> None:
        self._work += rows + rows * self.count // _BITS_PER_ROW
        if self._work > MOST_WORK:
            raise TooLarge

    def _stack(self, stack: Stack) -> None:
        for index, run in stack.indexed:
            body = self.model.definitions[run.block].body
            innermost = not _holds_stack(self.model, body)
            for number in range(run.count):
                before, counted = self.relation, self.iterations
                self._block(f"{stack.name}.{index}", run.block)
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
        if self.recorded:
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
        or any(_holds_stack(model, inner) for inner in bodies(one))
        or (
            isinstance(one, Call)
            and _holds_stack(model, model.definitions[one.block].body)
        )
        for one in body
    )


def _reads(receptive_field: OperatorReceptiveField, source: Shape) -> int:
    """How many rows an operator reads, all its parts and positions together."""
    count = positions(source)
    if receptive_field.moves is not None:
        return count * source.channels // _MOVES_PER_ROW
    return sum(_rows_read(part.reads, count) for part in receptive_field.parts)


def _rows_read(reads: str | Table | Grid, count: int) -> int:
    match reads:
        case str():
            return count
        case Grid(frames, height, _, rows, columns):
            across = height * sum(map(len, columns))
            return frames * (across + len(columns) * sum(map(len, rows)))
        case _:
            return sum(map(len, reads))
