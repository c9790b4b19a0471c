"""The IR: a model without parameters, names resolved, every shape known.

Structure is a closed union (`Op`, `Residual`, `Parallel`, `Scope`, `Call`,
`Stack`); operators are open and appear as `Op` with the operator's name and all
its arguments. A block
is defined once per distinct content and called by name, so a program stays as
small as its source.
"""

from fractions import Fraction
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BeforeValidator, PlainSerializer

from s2mlp_dsl.ir.node import Node, Record
from s2mlp_dsl.ir.shape import Shape, with_channels

Edge = Literal["keep", "replicate", "zeros", "circular", "reflect"]


class ShiftGroup(Record):
    """Channels that move together: so many steps right, down and later."""

    channels: int
    right: int = 0
    down: int = 0
    later: int = 0


class Shift(Record):
    """A spatial shift with its groups counted in channels.

    Groups take consecutive channels. The first `interleaved` groups instead
    take turns: of their channels, channel c belongs to group c mod that number.
    """

    name: str
    edge: Edge
    groups: tuple[ShiftGroup, ...]
    interleaved: int = 0

    @property
    def channels(self) -> int:
        return sum(group.channels for group in self.groups)


# In JSON a fraction is a pair of whole numbers: as text it would be a word.
Ratio = Annotated[
    Fraction,
    BeforeValidator(lambda v: Fraction(*v) if isinstance(v, list) else v),
    PlainSerializer(
        lambda v: (v.numerator, v.denominator),
        return_type=tuple[int, int],
        when_used="json",
    ),
]


class Kernels(Record):
    """Kernels that are given and not learned: filters of them, of exact numbers.

    Of n filters each serves a run of the channels that leave, in order. A filter
    has a kernel, as rows, for each channel that enters its group.
    """

    filters: tuple[tuple[tuple[tuple[Ratio, ...], ...], ...], ...]

    @property
    def is_single(self) -> bool:
        """Whether each filter is one kernel, and is written as that."""
        return all(len(one) == 1 for one in self.filters)


Value = int | Ratio | str | Shift | Kernels
Arguments = tuple[tuple[str, Value], ...]


class Op(Node):
    """An operator at work: `source` enters, `result` leaves.

    `name` is the attribute of the module that carries it; `source` is None for
    the operator that brings the image in.
    """

    kind: Literal["op"] = "op"
    operator: str
    version: int
    args: Arguments
    source: Shape | None
    result: Shape
    name: str
    label: str | None = None


class Residual(Node):
    """Adds what its body computes to what entered."""

    kind: Literal["residual"] = "residual"
    body: "tuple[Statement, ...]"
    label: str | None = None


class Parallel(Node):
    """Branches side by side, and the operator that makes one of their results.

    With `parts` the channels are split, and each branch takes so many of them;
    without, each takes all. What branches leave stands side by side as channels,
    and that is the `source` of `fuse`. An empty branch passes on what it takes.
    """

    kind: Literal["parallel"] = "parallel"
    parts: tuple[int, ...] = ()
    branches: "tuple[tuple[Statement, ...], ...]"
    merge: Op
    label: str | None = None

    def fed(self, source: Shape) -> tuple[Shape, ...]:
        """What enters each branch when `source` enters the statement."""
        if not self.parts:
            return (source,) * len(self.branches)
        return tuple(with_channels(source, part) for part in self.parts)


class Region(Node):
    """A body between an operator and the one that takes it back.

    `operator` and `args` are what was asked for: `fold` with its pattern, `pad`
    with its axis. What is computed is `sequence`.
    """

    kind: Literal["region"] = "region"
    operator: str
    args: Arguments
    enter: Op
    body: "tuple[Statement, ...]"
    leave: Op
    label: str | None = None

    @property
    def sequence(self) -> "tuple[Statement, ...]":
        return (self.enter, *self.body, self.leave)


class Call(Node):
    """A block at work, by the name of its definition."""

    kind: Literal["call"] = "call"
    block: str
    name: str
    label: str | None = None


class Run(Record):
    """Consecutive equal iterations of a stack."""

    count: int
    block: str


class Stack(Node):
    """Blocks in a row. Neighbouring runs call different definitions."""

    kind: Literal["stack"] = "stack"
    runs: tuple[Run, ...]
    name: str
    label: str | None = None

    @property
    def indexed(self) -> list[tuple[str, Run]]:
        """Each run with its iterations: `0-35`, or `7` for a single one."""
        found, first = [], 0
        for run in self.runs:
            last = first + run.count - 1
            found.append((str(first) if first == last else f"{first}-{last}", run))
            first = last + 1
        return found


Statement = Op | Residual | Parallel | Region | Call | Stack


def bodies(statement: Statement) -> "tuple[tuple[Statement, ...], ...]":
    """The bodies written inside a statement, in order of execution."""
    match statement:
        case Residual(body=body):
            return (body,)
        case Parallel(branches=branches, merge=merge):
            return (*branches, (merge,))
        case Region():
            return (statement.sequence,)
        case Op() | Call() | Stack():
            return ()


class Block(Node):
    """A definition. `inline` marks the body of a stack, written in place."""

    name: str
    source: Shape
    result: Shape
    body: tuple[Statement, ...]
    inline: bool = False
    doc: str | None = None


class Model(Node):
    """A whole program. Definitions stand before their first use."""

    name: str
    blocks: tuple[Block, ...]
    body: tuple[Statement, ...]
    doc: str | None = None

    @cached_property
    def definitions(self) -> dict[str, Block]:
        return {block.name: block for block in self.blocks}

    @property
    def input(self) -> Op:
        """The statement that brings the image in."""
        first = self.body[0]
        assert isinstance(first, Op)
        return first

    @property
    def input_size(self) -> tuple[int, ...]:
        """What a caller passes for one input: [channels, time?, height, width]."""
        *grid, channels = self.input.result.dims
        return (channels, *grid)

    @property
    def result(self) -> Shape:
        return result_of(self, self.body[-1])


def result_of(model: Model, statement: Statement) -> Shape:
    """The shape that leaves a statement."""
    match statement:
        case Op():
            return statement.result
        case Call():
            return model.definitions[statement.block].result
        case Stack():
            return model.definitions[statement.runs[-1].block].result
        case Residual():
            return result_of(model, statement.body[-1])
        case Parallel():
            return statement.merge.result
        case Region():
            return statement.leave.result
