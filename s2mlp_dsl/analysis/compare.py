"""The paper's table 1, for any model: how its spatial operators mix positions.

A statement between the first map and the pooling is a spatial operator if a position
of its output depends on other positions of its input. A `fold` whose inner channels
are positions is one operator as a whole: what is inside mixes positions as it would mix
channels. All of this is derived from the operators' definitions.
"""

from collections.abc import Hashable, Iterator
from itertools import dropwhile
from typing import Literal, TypeGuard

from s2mlp_dsl.analysis.analyze import analyze_model
from s2mlp_dsl.analysis.cost import params_of
from s2mlp_dsl.analysis.receptive_field import (
    MOST_CHANNELS,
    ReceptiveField,
    StatementReads,
    embedding,
)
from s2mlp_dsl.analysis.resize import bound_by
from s2mlp_dsl.analysis.work import LISTING, TooLarge, Work
from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.ir.print import print_arguments, print_op
from s2mlp_dsl.ir.program import Body, Model, Op, Region, Statement
from s2mlp_dsl.ir.shape import Map, Shape, Vector, positions
from s2mlp_dsl.ir.walk import occurrences, walk
from s2mlp_dsl.operators import (
    POINTWISE,
    SIGNATURES,
    Operator,
    Properties,
    Refusal,
    applied,
)
from s2mlp_dsl.operators import ReceptiveField as OperatorReceptiveField

# `mixed`: every output channel is a combination of several, with weights of its own.
Channel = Literal["agnostic", "specific", "mixed"]
_ROOM = 32  # the sides of a map that is large enough to show what an operator does
_LARGE = _ROOM**2  # positions
_TOO_LARGE = 2**20  # positions of which none are listed


class Table1Row(Record):
    """A row of table 1.

    `is_global`: a position depends on every position. `spatial_specific`: the function
    differs between positions, apart from borders. `channel`: whether it is one function
    for all channels.
    """

    learned: bool
    is_global: bool
    spatial_specific: bool
    channel: Channel


class SpatialOperator(Record):
    """Equal spatial operators of a model; params and MACs are those of all of them.

    With `statistics` a position depends on others only through statistics or weights
    that are computed from the map (group norm, split attention).

    `reads` is the largest number of positions that one depends on through this operator
    alone, out of `positions`; None where the map is too large to relate.
    """

    statement: str
    count: int
    row: Table1Row
    statistics: bool
    reads: int | None
    positions: int
    params: int
    macs: int


class Compared(Record):
    """A model in the terms of table 1.

    It is learned or global if one of its spatial operators is, statistics aside,
    spatial-specific if any statement is, and channel-agnostic if all operators are.
    `row` is None without spatial operators. `bound_by` says what ties the weights to
    one size of images, None where nothing does.
    """

    name: str
    row: Table1Row | None
    params: int
    macs: int
    receptive_field: ReceptiveField | None
    bound_by: str | None
    operators: tuple[SpatialOperator, ...]


class _Reading(StatementReads):
    """What statements read, and what operators depend on, on maps of a quick size."""

    def __init__(self, model: Model, work: Work) -> None:
        super().__init__(model, work)
        self._listing = Work()  # of its own: without these facts there is no row
        self._known: dict[Hashable, OperatorReceptiveField] = {}

    def mixes(self, op: Op) -> bool:
        """Whether a channel that leaves depends on several that enter."""
        assert op.source is not None
        receptive_field = self._receptive_field(op)
        if not receptive_field.listed:
            return receptive_field.mixes and receptive_field.groups < op.source.channels
        read = [0] * op.result.channels
        for part in receptive_field.parts:
            for out in range(op.result.channels):
                if part.feeds(out):
                    read[out] |= part.channels or 0
        return any(channels.bit_count() > 1 for channels in read)

    def only_statistics(self, op: Op) -> bool:
        content = self._receptive_field(op).content
        if content is None or content.moves is not None:
            return False
        return all(part.reads == "here" for part in content.parts)

    def _receptive_field(self, op: Op) -> OperatorReceptiveField:
        if (content := op.content) not in self._known:
            assert op.source is not None
            operator = _roomy(op)
            if positions(operator.shape()) > _TOO_LARGE:
                return POINTWISE  # it adds positions, and mixes nothing
            if max(op.source.channels, op.result.channels) > MOST_CHANNELS:
                raise TooLarge
            self._listing.spend(LISTING * operator.listed_reads())
            self._known[content] = operator.receptive_field()
        return self._known[content]


def compare_model(model: Model, work: Work | None = None) -> Compared:
    """The row of a model, and of each of its spatial operators.

    `work` is what all models that are compared may take together. Raises `TooLarge`
    where a statement has too many channels to say how it mixes them.
    """
    work = work or Work()
    figures = analyze_model(model, work)
    assert figures.params is not None and figures.macs is not None
    found: dict[tuple[str, Table1Row, bool, int | None, int], list[int]] = {}
    bound, reading = False, _Reading(model, work)
    for statement, source, count in _parts(model):
        if isinstance(statement, Op) and _properties(statement).spatial_specific:
            bound = True
        row, reads = _row(model, statement, source, reading)
        if row is None:
            continue
        aside = isinstance(statement, Op) and reading.only_statistics(statement)
        key = (_text(statement), row, aside, reads, positions(source))
        sums = found.setdefault(key, [0, 0, 0])
        params, macs = _cost(model, statement)
        for place, value in enumerate((1, params, macs)):
            sums[place] += count * value
    operators = tuple(
        SpatialOperator(
            statement=text,
            count=count,
            row=row,
            statistics=aside,
            reads=reads,
            positions=of,
            params=params,
            macs=macs,
        )
        for (text, row, aside, reads, of), (count, params, macs) in found.items()
    )
    return Compared(
        name=model.name,
        row=_together([one.row for one in operators if not one.statistics], bound),
        params=figures.params,
        macs=figures.macs,
        receptive_field=figures.receptive_field,
        bound_by=bound_by(model),
        operators=operators,
    )


def _together(rows: list[Table1Row], bound: bool) -> Table1Row | None:
    if not rows:
        return None
    channel: Channel = "agnostic"
    for one in rows:
        if one.channel == "mixed" or channel == "agnostic":
            channel = one.channel
    return Table1Row(
        learned=any(one.learned for one in rows),
        is_global=any(one.is_global for one in rows),
        spatial_specific=bound or any(one.spatial_specific for one in rows),
        channel=channel,
    )


def _parts(model: Model) -> Iterator[tuple[Op | Region, Shape, int]]:
    """What follows the first map, as (statement, its input, how often).

    A region that moves positions counts as one statement.
    """
    start = embedding(model).path
    after = dropwhile(lambda visit: visit.path != start, walk(model))
    next(after)
    for visit in after:
        statement = visit.statement
        if any(map(_moves_positions, visit.around)):
            continue
        if isinstance(statement, Op) or _moves_positions(statement):
            op = statement if isinstance(statement, Op) else statement.enter
            assert op.source is not None
            yield statement, op.source, visit.count


def _row(
    model: Model, statement: Op | Region, source: Shape, reading: _Reading
) -> tuple[Table1Row | None, int | None]:
    """The row of a statement and how much it reads; none where it is not spatial."""
    if isinstance(statement, Region):
        return _of_region(model, statement, source, reading)
    operator, facts = applied(statement), _properties(statement)
    if facts.reads == "position" or isinstance(statement.result, Vector):
        return None, None
    channel: Channel = "specific" if facts.channel_specific else "agnostic"
    if (operator.learned or facts.channel_specific) and reading.mixes(statement):
        channel = "mixed"
    row = Table1Row(
        learned=operator.learned,
        is_global=facts.reads == "everything",
        spatial_specific=facts.spatial_specific,
        channel=channel,
    )
    return row, reading.most(statement, source)


def _of_region(
    model: Model, region: Region, source: Shape, reading: _Reading
) -> tuple[Table1Row | None, int | None]:
    moves = applied(region.enter).moves()
    assert moves is not None
    # What one inner position holds: of how many positions, and of how many channels.
    places = moves.distinct
    channels = region.enter.result.channels // places
    inside = list(_ops(model, region.body))
    reads = reading.most(region, source)
    mixing = [op for op in inside if places > 1 and reading.mixes(op)]
    spatial = [op for op in inside if _properties(op).reads != "position"]
    if reads == 1 or not (mixing or spatial):
        return None, None
    at_once = reads if reads is not None else places
    channel: Channel = "agnostic"
    if channels > 1 and any(_properties(op).channel_specific for op in inside):
        channel = "specific"
    # Inside, a channel may lie among the channels or among the positions.
    if channels > 1 and any(map(reading.mixes, inside)):
        channel = "mixed"
    if spatial and channels < source.channels:
        channel = "mixed"
    row = Table1Row(
        learned=any(applied(op).learned for op in (*mixing, *spatial)),
        is_global=at_once == positions(source),
        # A weight for each inner channel is one for each of its positions.
        spatial_specific=any(applied(op).learned for op in inside if places > 1)
        or any(_properties(op).spatial_specific for op in inside),
        channel=channel,
    )
    return row, reads


def _moves_positions(statement: Statement) -> TypeGuard[Region]:
    if not isinstance(statement, Region) or _is_too_large(statement.enter):
        return False
    return applied(statement.enter).moves() is not None


def _is_too_large(op: Op) -> bool:
    assert op.source is not None
    return max(positions(op.source), positions(op.result)) > _TOO_LARGE


def _ops(model: Model, body: Body) -> Iterator[Op]:
    """The operators in a body, without the two ends of regions that move positions."""
    for visit in occurrences(model, body):
        outer = visit.around[-1] if visit.around else visit.op
        ends = (outer.enter, outer.leave) if _moves_positions(outer) else ()
        if not any(visit.op is end for end in ends):
            yield visit.op


def _properties(op: Op) -> Properties:
    return _roomy(op).properties() if _is_too_large(op) else applied(op).properties()


def _roomy(op: Op) -> Operator:
    """The operator, on a smaller map if its own is large."""
    operator, source = applied(op), op.source
    assert source is not None
    if isinstance(source, Map) and positions(source) > _LARGE:
        sides = {
            side: min(length, _ROOM)
            for side in ("time", "height", "width")
            if (length := getattr(source, side)) is not None
        }
        small = operator.on(source.model_copy(update=sides))
        try:
            small.shape()
            operator = small
        except Refusal:
            pass  # then on the large map, which takes longer
    return operator


def _cost(model: Model, statement: Op | Region) -> tuple[int, int]:
    ops = [statement] if isinstance(statement, Op) else _ops(model, statement.body)
    params = macs = 0
    for op in ops:
        params += params_of(op)
        macs += applied(op).macs()
    return params, macs


def _text(statement: Op | Region) -> str:
    signature = SIGNATURES[statement.operator]
    if isinstance(statement, Op):
        return print_op(statement, signature)
    listed = ", ".join(print_arguments(statement.args, signature))
    return f"{statement.operator}({listed})"
