"""The IR: a model without parameters, names resolved, every shape known.

A statement is an operator (`Op`), a composite of bodies (`Residual`, `Parallel`,
`Region`), or runs blocks that are defined elsewhere (`Call`, `Stack`). A pass
tells these three apart; what it needs to know of one statement, the statement
says itself. Structure is closed, operators are open: an `Op` has the operator's
name and all its arguments.

A block is defined once per distinct content and called by name, so a program
stays as small as its source.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer

from s2mlp_dsl.ir.node import Node, Record
from s2mlp_dsl.ir.shape import Shape, with_channels

Edge = Literal["keep", "replicate", "zeros", "circular", "reflect"]
# Where content moves: the axis of a direction, a field of `ShiftGroup`, and its sign.
DIRECTIONS: Mapping[str, tuple[str, int]] = {
    "right": ("right", 1),
    "left": ("right", -1),
    "down": ("down", 1),
    "up": ("down", -1),
    "later": ("later", 1),
    "earlier": ("later", -1),
}


class ShiftGroup(Record):
    """Channels that move together: steps right, down and later in time."""

    channels: int
    right: int = 0
    down: int = 0
    later: int = 0

    @property
    def moves(self) -> list[tuple[str, int]]:
        """Directions with their steps, all above 0; none for a group that stays."""
        return [
            (direction, sign * getattr(self, axis))
            for direction, (axis, sign) in DIRECTIONS.items()
            if sign * getattr(self, axis) > 0
        ]


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


# In JSON a fraction is a pair of whole numbers: as text it would be an enum value.
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
    """Fixed convolution kernels of exact numbers: [filter][channel][row][column].

    Each of n filters computes one n-th of the output channels, in order. It has a
    kernel for each input channel of its group.
    """

    filters: tuple[tuple[tuple[tuple[Ratio, ...], ...], ...], ...]

    @property
    def is_single(self) -> bool:
        """Whether every filter has one kernel, and is written as that kernel."""
        return all(len(kernels) == 1 for kernels in self.filters)


Value = int | Ratio | str | Shift | Kernels
Arguments = tuple[tuple[str, Value], ...]
Body = tuple["Statement", ...]


class Op(Node):
    """An operator applied to the shape `source`, with an output of shape `result`.

    `name` is the attribute of the module that implements it; `source` is None for
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

    bodies: ClassVar[tuple[Body, ...]] = ()

    @property
    def default_name(self) -> str:
        """What the module is called where there is no label."""
        return self.operator

    @property
    def content(self) -> Hashable:
        """What it computes and on what, whatever it is called."""
        return self.operator, self.args, self.source

    def output(self, definitions: "Mapping[str, Block]") -> Shape:
        """The shape of the output."""
        return self.result


class Composite(Node):
    """A statement with bodies. They share the names of the module around it."""

    @property
    def bodies(self) -> tuple[Body, ...]:
        """The bodies written inside, in order of execution."""
        raise NotImplementedError

    def with_bodies(self, bodies: Sequence[Body]) -> Self:
        """The same statement around other bodies, in the order of `bodies`."""
        raise NotImplementedError

    def output(self, definitions: "Mapping[str, Block]") -> Shape:
        """The shape of the output: of the last statement inside, unless overridden."""
        return self.bodies[-1][-1].output(definitions)


class Residual(Composite):
    """Adds the output of its body to the input."""

    kind: Literal["residual"] = "residual"
    body: Body
    label: str | None = None

    @property
    def bodies(self) -> tuple[Body, ...]:
        return (self.body,)

    def with_bodies(self, bodies: Sequence[Body]) -> Self:
        (body,) = bodies
        return self.model_copy(update={"body": body})


class Parallel(Composite):
    """Branches side by side, and the operator that merges their outputs.

    With `parts` the input channels are split, and branch n takes `parts[n]` of them;
    without, each branch takes all. The outputs are concatenated along channels, which
    is the `source` of `merge`. An empty branch is the identity.
    """

    kind: Literal["parallel"] = "parallel"
    parts: tuple[int, ...] = ()
    branches: tuple[Body, ...]
    merge: Op
    label: str | None = None

    @property
    def bodies(self) -> tuple[Body, ...]:
        """The branches, then the merge as a body of its own."""
        return (*self.branches, (self.merge,))

    def with_bodies(self, bodies: Sequence[Body]) -> Self:
        *branches, (merge,) = bodies
        return self.model_copy(update={"branches": tuple(branches), "merge": merge})

    def branch_inputs(self, source: Shape) -> tuple[Shape, ...]:
        """The shape of each branch's input when `source` enters the statement."""
        if not self.parts:
            return (source,) * len(self.branches)
        return tuple(with_channels(source, part) for part in self.parts)


class Region(Composite):
    """A body between an operator and its inverse.

    `operator` and `args` are what was written: `fold` with its pattern, `pad`
    with its axis. What is computed is `sequence`.
    """

    kind: Literal["region"] = "region"
    operator: str
    args: Arguments
    enter: Op
    body: Body
    leave: Op
    label: str | None = None

    @property
    def sequence(self) -> Body:
        return (self.enter, *self.body, self.leave)

    @property
    def bodies(self) -> tuple[Body, ...]:
        return (self.sequence,)

    def with_bodies(self, bodies: Sequence[Body]) -> Self:
        ((enter, *body, leave),) = bodies
        return self.model_copy(
            update={"enter": enter, "body": tuple(body), "leave": leave}
        )


class Run(Record):
    """`count` consecutive iterations of a block."""

    count: int
    block: str


class Invocation(Node):
    """A statement that runs blocks, by the names of their definitions.

    Its module is `name`. Where it is `numbered`, each iteration is a module of its own
    inside, called by its number; else all of them are one module, and its weights
    count once.
    """

    numbered: ClassVar[bool] = False
    bodies: ClassVar[tuple[Body, ...]] = ()

    if TYPE_CHECKING:  # as fields of this class they would come before the others
        kind: str
        name: str
        label: str | None

        @property
        def runs(self) -> tuple[Run, ...]:
            """What is executed, in order; neighbours are of different blocks."""

    @property
    def default_name(self) -> str:
        """What the module is called where there is no label."""
        return self.kind

    def modules(self, *, each: bool = False) -> Iterator[tuple[str, Run]]:
        """The module of each run: `stack.0-35`, `stack.36` for a single iteration.

        With `each`, one after the other: `stack.0`, `stack.1` and so on.
        """
        first = 0
        for run in self.runs:
            last = first + run.count - 1
            if not self.numbered:
                yield self.name, run
            elif each:
                once = Run(count=1, block=run.block)
                for number in range(first, last + 1):
                    yield f"{self.name}.{number}", once
            else:
                index = str(first) if first == last else f"{first}-{last}"
                yield f"{self.name}.{index}", run
            first = last + 1

    def output(self, definitions: "Mapping[str, Block]") -> Shape:
        """The shape of the output."""
        return definitions[self.runs[-1].block].result


class Call(Invocation):
    """A block, run once."""

    kind: Literal["call"] = "call"
    block: str
    name: str
    label: str | None = None

    @property
    def runs(self) -> tuple[Run, ...]:
        return (Run(count=1, block=self.block),)

    @property
    def default_name(self) -> str:
        return self.block


class Stack(Invocation):
    """Blocks in sequence. Neighbouring runs are of different definitions."""

    kind: Literal["stack"] = "stack"
    runs: tuple[Run, ...]
    name: str
    label: str | None = None

    numbered: ClassVar[bool] = True


Statement = Annotated[
    Op | Residual | Parallel | Region | Call | Stack, Field(discriminator="kind")
]


class Block(Node):
    """A definition. `inline` marks the body of a stack, written in place."""

    name: str
    source: Shape
    result: Shape
    body: Body
    inline: bool = False
    doc: str | None = None


class Model(Node):
    """A whole program. Each definition comes before its first use."""

    name: str
    blocks: tuple[Block, ...]
    body: Body
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
        """The shape of one input: [channels, time?, height, width]."""
        *grid, channels = self.input.result.dims
        return (channels, *grid)

    @property
    def result(self) -> Shape:
        """The shape of the model's output."""
        return self.body[-1].output(self.definitions)
