"""Which places of a source became which statements."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from s2mlp_dsl.emit.uses import indexed
from s2mlp_dsl.ir.program import (
    Call,
    Model,
    Op,
    Parallel,
    Residual,
    Scope,
    Stack,
    Statement,
    bodies,
)
from s2mlp_dsl.ir.walk import occurrences
from s2mlp_dsl.source import Source, Span


@dataclass(frozen=True)
class Mark:
    """Text that became the operators at some paths.

    A `group` is the head of a statement that has others inside; the paths are
    those of all of them.
    """

    span: Span
    paths: tuple[str, ...]
    group: bool


def marks_in(source: Source, model: Model) -> list[Mark]:
    """Where statements stand in a source, in order; of places that overlap, one."""
    found: defaultdict[Span, list[str]] = defaultdict(list)
    for one in occurrences(model):
        if one.op.span is not None:
            found[one.op.span].append(one.path)
    marks = [Mark(span, tuple(paths), False) for span, paths in found.items()]
    marks += [
        Mark(span, tuple(dict.fromkeys(paths)), True)
        for span, paths in _heads(model).items()
        if span not in found
    ]
    kept: list[Mark] = []
    for mark in sorted(marks, key=lambda one: (one.span.start, one.span.end)):
        here = mark.span.source == source
        if here and (not kept or mark.span.start >= kept[-1].span.end):
            kept.append(mark)
    return kept


def sources_of(own: Source, model: Model) -> list[Source]:
    """The spec itself, then the files that statements of the model stand in."""
    spans = [one.op.span for one in occurrences(model)]
    return list(dict.fromkeys([own, *(span.source for span in spans if span)]))


def _heads(model: Model) -> dict[Span, list[str]]:
    """The first words of statements with others inside, and the paths of those."""
    found: defaultdict[Span, list[str]] = defaultdict(list)

    def walk(body: Sequence[Statement], prefix: str) -> list[str]:
        return [path for one in body for path in inside(one, prefix)]

    def inside(statement: Statement, prefix: str) -> list[str]:
        match statement:
            case Op():
                return [prefix + statement.name]
            case Residual() | Parallel() | Scope():
                paths = [at for one in bodies(statement) for at in walk(one, prefix)]
            case Call():
                block = model.definitions[statement.block]
                paths = walk(block.body, f"{prefix}{statement.name}.")
            case Stack():
                paths = [
                    path
                    for at, run in indexed(prefix + statement.name, statement.runs)
                    for path in walk(model.definitions[run.block].body, f"{at}.")
                ]
            case _:
                assert_never(statement)
        if statement.span is not None:
            found[_head(statement.span)] += paths
        return paths

    walk(model.body, "")
    return dict(found)


def _head(span: Span) -> Span:
    """Up to the brace that opens the body."""
    words = span.text.split("{")[0].rstrip()
    return Span(span.source, span.start, span.start + len(words))
