"""Walking a program with its definitions opened, equal iterations shared."""

from collections.abc import Iterator
from dataclasses import dataclass

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
    result_of,
)
from s2mlp_dsl.ir.shape import Shape
from s2mlp_dsl.source import Span


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An operator where it stands in the opened program.

    `path` is the module's name with `*` for the index in a stack's run:
    `stack.0-35.linear1`. `count` is how many times it runs. `labels` are its
    own label and those of the statements around it.
    """

    op: Op
    path: str
    count: int
    labels: frozenset[str]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A statement with a label, and the shape that leaves it."""

    label: str
    result: Shape
    span: Span | None


def labelled(model: Model) -> Iterator[Labelled]:
    """Every labelled statement as it is written, definitions first."""
    for body in (*(block.body for block in model.blocks), model.body):
        yield from _labelled(model, body)


def _labelled(model: Model, body: tuple[Statement, ...]) -> Iterator[Labelled]:
    for statement in body:
        if statement.label is not None:
            result = result_of(model, statement)
            yield Labelled(statement.label, result, statement.span)
        for inner in bodies(statement):
            yield from _labelled(model, inner)


def ops_in(model: Model) -> Iterator[Op]:
    """Every operator as it is written, definitions before the model's body."""
    todo = [*(block.body for block in model.blocks), model.body]
    for body in todo:
        yield from _ops_in_body(body)


def _ops_in_body(body: tuple[Statement, ...]) -> Iterator[Op]:
    for statement in body:
        if isinstance(statement, Op):
            yield statement
        for inner in bodies(statement):
            yield from _ops_in_body(inner)


def occurrences(model: Model) -> Iterator[Occurrence]:
    """Every operator in order of execution, each run of a stack opened once."""
    yield from _open(model, model.body, "", 1, frozenset())


def _open(
    model: Model,
    body: tuple[Statement, ...],
    prefix: str,
    count: int,
    labels: frozenset[str],
) -> Iterator[Occurrence]:
    for statement in body:
        inside = labels | {statement.label} if statement.label else labels
        match statement:
            case Op():
                yield Occurrence(statement, prefix + statement.name, count, inside)
            case Residual() | Parallel() | Region():
                for inner in bodies(statement):
                    yield from _open(model, inner, prefix, count, inside)
            case Call():
                block = model.definitions[statement.block]
                path = f"{prefix}{statement.name}."
                yield from _open(model, block.body, path, count, inside)
            case Stack():
                for index, run in statement.indexed:
                    block = model.definitions[run.block]
                    path = f"{prefix}{statement.name}.{index}."
                    yield from _open(model, block.body, path, count * run.count, inside)


def modules(model: Model) -> Iterator[tuple[str, Op]]:
    """Every operator with the full name of its module: `stack.3.linear1`."""
    yield from _modules(model, model.body, "")


def _modules(
    model: Model, body: tuple[Statement, ...], prefix: str
) -> Iterator[tuple[str, Op]]:
    for statement in body:
        match statement:
            case Op():
                yield prefix + statement.name, statement
            case Residual() | Parallel() | Region():
                for inner in bodies(statement):
                    yield from _modules(model, inner, prefix)
            case Call():
                block = model.definitions[statement.block]
                path = f"{prefix}{statement.name}."
                yield from _modules(model, block.body, path)
            case Stack():
                number = 0
                for run in statement.runs:
                    block = model.definitions[run.block]
                    for _ in range(run.count):
                        path = f"{prefix}{statement.name}.{number}."
                        yield from _modules(model, block.body, path)
                        number += 1
