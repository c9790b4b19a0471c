"""The parts of a model as timm sees one: stem, stacks, pool and classifier."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from s2mlp_dsl.ir.program import Body, Composite, Invocation, Model, Op
from s2mlp_dsl.ir.shape import Map, Vector
from s2mlp_dsl.ir.walk import within
from s2mlp_dsl.lower.backbone import feature_row
from s2mlp_dsl.lower.module_class import Head

_POOLS = {"mean": "avg", "max": "max"}  # timm's words


@dataclass(frozen=True)
class Parts:
    """Names of a model's modules by their part in it, and the channels at its end.

    `num_features` are the channels that are pooled, `head_hidden_size` those that are
    classified; `pool_size` are the rows and columns of the map that is pooled.
    """

    stem: tuple[str, ...]
    stacks: tuple[str, ...]
    between: tuple[str, ...]  # others behind the first stack and before the head
    classifier: str | None
    num_classes: int
    num_features: int
    head_hidden_size: int
    pool_size: tuple[int, int] | None


def head_of(body: Body) -> Head:
    """The first statement with a vector as its result, and a linear layer at the end.

    Each is None where the body does not have it.
    """
    last = body[-1]
    is_classifier = (
        isinstance(last, Op)
        and last.operator == "linear"
        and isinstance(last.source, Vector)
    )
    classifier = len(body) - 1 if is_classifier else None
    for place, statement in enumerate(body[:classifier]):
        if isinstance(statement, Op) and isinstance(statement.result, Vector):
            kind = _POOLS.get(str(dict(statement.args).get("kind")), "token")
            return Head(place, classifier, kind)
    return Head(None, classifier, "")


def module_names(body: Body) -> list[str]:
    """The names of the modules of a body, in order."""
    return [one.name for one in within(body) if not isinstance(one, Composite)]


def parts_of(model: Model, head: Head) -> Parts:
    """The parts of a model that is cut at its head."""
    body = model.body[: head.begin]
    last = model.body[-1]
    classifier = last if head.classifier is not None and isinstance(last, Op) else None
    names = module_names(body)
    stacks = [one.name for one in body if isinstance(one, Invocation) and one.numbered]
    first = names.index(stacks[0]) if stacks else len(names)
    pooled = body[-1].output(model.definitions)
    hidden = model.body[: head.classifier][-1].output(model.definitions)
    return Parts(
        stem=tuple(names[:first]),
        stacks=tuple(stacks),
        between=tuple(one for one in names[first:] if one not in stacks),
        classifier=classifier.name if classifier else None,
        num_classes=classifier.result.channels if classifier else 0,
        num_features=pooled.channels,
        head_hidden_size=hidden.channels,
        pool_size=(pooled.height, pooled.width) if isinstance(pooled, Map) else None,
    )


def feature_rows(model: Model) -> Iterator[dict[str, Any]]:
    """A row for each map that is offered as a feature, as in timm's `feature_info`.

    Where all stacks have maps of one size, each iteration; else the last of each size.
    """
    maps: dict[str, Map] = {}
    for statement in model.body:
        if isinstance(statement, Invocation):
            for path, run in statement.modules(each=True):
                shape = model.definitions[run.block].result
                if isinstance(shape, Map):
                    maps[path] = shape
    last = {(shape.height, shape.width): path for path, shape in maps.items()}
    for path in last.values() if len(last) > 1 else maps:
        yield feature_row(model, path, maps[path])
