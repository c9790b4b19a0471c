"""Which places of a source became which statements."""

from collections import defaultdict
from dataclasses import dataclass, replace

from s2mlp_dsl.ir.program import Model
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
    heads: defaultdict[Span, list[str]] = defaultdict(list)
    for visit in occurrences(model):
        if visit.op.span is not None:
            ops[_head(visit.op.span)].append(visit.path)
        for outer in visit.around:
            if outer.span is not None:
                heads[_head(outer.span)].append(visit.path)
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
    spans = [visit.op.span for visit in occurrences(model)]
    return list(dict.fromkeys([own, *(span.source for span in spans if span)]))


def _head(span: Span) -> Span:
    """Up to the brace that opens the body."""
    words = span.text.split("{")[0].rstrip()
    return Span(span.source, span.start, span.start + len(words))
