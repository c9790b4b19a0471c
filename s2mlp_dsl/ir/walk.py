"""Walking a program: as it is written, with its definitions opened, or bottom-up.

A pass that carries a value along the data flow uses `flow.py`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from s2mlp_dsl.ir.program import Body, Composite, Invocation, Model, Op, Run, Statement

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Visit:
    """A statement at its place in the opened program.

    `path` is the name of its module (of the module around it, where it has none of its
    own), with the iterations of a run as one index: `stack.0-35.linear1`. The statement
    is executed `count` times, by `copies` modules with weights of their own. `around`
    are the statements that it is inside of, outermost first.
    """

    statement: Statement
    path: str
    count: int
    copies: int
    around: tuple[Statement, ...]

    @property
    def op(self) -> Op:
        assert isinstance(self.statement, Op)
        return self.statement

    @property
    def labels(self) -> frozenset[str]:
        """The label of the statement and those of the statements around it."""
        return frozenset(
            one.label for one in (*self.around, self.statement) if one.label
        )

    @property
    def runs(self) -> list[tuple[str, Run]]:
        """What the statement runs, each with the path of its module."""
        if not isinstance(self.statement, Invocation):
            return []
        prefix = self.path.removesuffix(self.statement.name)
        return [(prefix + module, run) for module, run in self.statement.modules()]


def within(body: Body) -> Iterator[Statement]:
    """Every statement of a body and of the bodies inside it, as it is written."""
    for statement in body:
        yield statement
        for inner in statement.bodies:
            yield from within(inner)


def rebuilt(body: Body, change: Callable[[Statement], Statement]) -> Body:
    """The same body with each statement changed, in order, those inside it first."""

    def each(statement: Statement) -> Statement:
        if isinstance(statement, Composite):
            inside = [rebuilt(inner, change) for inner in statement.bodies]
            statement = statement.with_bodies(inside)
        return change(statement)

    return tuple(map(each, body))


def statements(model: Model) -> Iterator[Statement]:
    """Every statement as it is written, definitions before the model's body."""
    for block in model.blocks:
        yield from within(block.body)
    yield from within(model.body)


def ops_in(model: Model) -> Iterator[Op]:
    """Every operator as it is written, definitions before the model's body."""
    return (one for one in statements(model) if isinstance(one, Op))


def walk(
    model: Model, body: Body | None = None, *, each: bool = False
) -> Iterator[Visit]:
    """Every statement in order of execution, blocks opened.

    A run of equal iterations is opened once, or with `each` once for each of its
    modules. `body` is a part of the model to walk in its place.
    """
    start = model.body if body is None else body
    return _walk(model, start, "", 1, 1, (), each)


def occurrences(
    model: Model, body: Body | None = None, *, each: bool = False
) -> Iterator[Visit]:
    """The operators among what `walk` visits."""
    return (
        one for one in walk(model, body, each=each) if isinstance(one.statement, Op)
    )


def _walk(
    model: Model,
    body: Body,
    prefix: str,
    count: int,
    copies: int,
    around: tuple[Statement, ...],
    each: bool,
) -> Iterator[Visit]:
    for statement in body:
        if isinstance(statement, Composite):
            yield Visit(statement, prefix.removesuffix("."), count, copies, around)
            inside = (*around, statement)
            for inner in statement.bodies:
                yield from _walk(model, inner, prefix, count, copies, inside, each)
            continue
        yield Visit(statement, prefix + statement.name, count, copies, around)
        if isinstance(statement, Invocation):
            inside = (*around, statement)
            for module, run in statement.modules(each=each):
                yield from _walk(
                    model,
                    model.definitions[run.block].body,
                    f"{prefix}{module}.",
                    count * run.count,
                    copies * (run.count if statement.numbered else 1),
                    inside,
                    each,
                )


def fold(model: Model, value_of: Callable[[Body, Mapping[str, T]], T]) -> T:
    """The value of the model's body; see `fold_blocks`."""
    return value_of(model.body, fold_blocks(model, value_of))


def fold_blocks(
    model: Model, value_of: Callable[[Body, Mapping[str, T]], T]
) -> dict[str, T]:
    """A value for each definition, from those of the definitions that it runs.

    `value_of` gets a body and the values of the definitions before it, so that none is
    opened twice.
    """
    values: dict[str, T] = {}
    for block in model.blocks:
        values[block.name] = value_of(block.body, values)
    return values
