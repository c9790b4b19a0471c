"""Which places of a source became which statements."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never

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
from s2mlp_dsl.ir.walk import occurrences
from s2mlp_dsl.source import Source, Span


@dataclass(frozen=True)
class Mark:
    """Text that became the operators at some paths.

    The head of a statement that has others inside says those paths as well.
    """

    span: Span
    paths: tuple[str, ...]
    inside: tuple[str, ...]


def marks_in(source: Source, model: Model) -> list[Mark]:
    """Where statements stand in a source, in order; of places that overlap, one."""
    ops: defaultdict[Span, list[str]] = defaultdict(list)
    for one in occurrences(model):
        if one.op.span is not None:
            ops[_head(one.op.span)].append(one.path)
    heads = _heads(model)
    spans = [one for one in {*ops, *heads} if one.source == source]
    kept: list[Mark] = []
    for span in sorted(spans, key=lambda one: (one.start, one.end)):
        if not kept or span.start >= kept[-1].span.end:
            inside = tuple(dict.fromkeys(heads.get(span, [])))
            kept.append(Mark(span, tuple(ops.get(span, [])), inside))
        else:
            # Such as the fuse that the head of a parallel names.
            paths = (*kept[-1].paths, *ops.get(span, []))
            kept[-1] = replace(kept[-1], paths=paths)
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
            case Residual() | Parallel() | Region():
                paths = [at for one in bodies(statement) for at in walk(one, prefix)]
            case Call():
                block = model.definitions[statement.block]
                paths = walk(block.body, f"{prefix}{statement.name}.")
            case Stack():
                paths = [
                    path
                    for index, run in statement.indexed
                    for path in walk(
                        model.definitions[run.block].body,
                        f"{prefix}{statement.name}.{index}.",
                    )
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
