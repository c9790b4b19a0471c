"""How two models differ in meaning."""

import difflib
from collections.abc import Iterable
from math import prod
from typing import Any

from s2mlp_dsl.analysis.analyze import Analysis
from s2mlp_dsl.analysis.cost import tensors_in
from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.ir.print import print_model
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.operators import SIGNATURES

Tensors = dict[str, tuple[int, ...]]


class Fact(Record):
    """One figure of both models, as text."""

    name: str
    first: str
    second: str

    @property
    def same(self) -> bool:
        return self.first == self.second


class Weight(Record):
    """`count` tensors of one name, with `*` for the index in a stack.

    `first` and `second` are shapes, None where a model has no such tensor.
    """

    name: str
    first: tuple[int, ...] | None
    second: tuple[int, ...] | None
    count: int

    @property
    def compatible(self) -> bool:
        """Whether the weights of one model fit the other."""
        return self.first == self.second


class Difference(Record):
    """The comparison of two models.

    `statements` is a unified diff of both programs, printed without parameters, names
    of models and descriptions. `weights` has every tensor.
    """

    facts: tuple[Fact, ...]
    claims: tuple[Fact, ...]
    statements: tuple[str, ...]
    weights: tuple[Weight, ...]

    @property
    def same_function(self) -> bool:
        return all(one.same for one in self.facts if one.name == "function hash")

    @property
    def compatible_params(self) -> int:
        """Scalars whose tensors have the same name and shape in both."""
        return sum(
            one.count * prod(one.first)
            for one in self.weights
            if one.compatible and one.first is not None
        )


def difference(
    first: tuple[Model, Analysis], second: tuple[Model, Analysis]
) -> Difference:
    """How two expanded models differ, given their figures."""
    (model, analysis), (other, others) = first, second
    facts = [
        Fact(name=name, first=one, second=two)
        for (name, one), (_, two) in zip(_facts(analysis), _facts(others), strict=True)
    ]
    return Difference(
        facts=tuple(facts),
        claims=tuple(_claims(analysis, others)),
        statements=tuple(_statements(model, other)),
        weights=tuple(_weights(dict(tensors_in(model)), dict(tensors_in(other)))),
    )


def _facts(analysis: Analysis) -> list[tuple[str, str]]:
    receptive_field = analysis.receptive_field
    seen, full = "not computed", "not computed"
    if receptive_field is not None:
        last = receptive_field.steps[-1] if receptive_field.steps else None
        total = receptive_field.grid[0] * receptive_field.grid[1]
        seen = f"{last.least} to {last.most} of {total}" if last else "no stack"
        full = (
            "none" if receptive_field.full is None else f"after {receptive_field.full}"
        )
    return [
        ("image", _dims(analysis.image)),
        ("result", str(analysis.result)),
        ("params", f"{analysis.params:,}"),
        ("MACs", f"{analysis.macs:,}"),
        ("positions seen", seen),
        ("full receptive field", full),
        ("function hash", str(analysis.function_hash)),
        ("weights hash", str(analysis.weight_hash)),
    ]


def _claims(one: Analysis, other: Analysis) -> Iterable[Fact]:
    """Every claim about either model, with its verdicts."""
    verdicts: dict[str, list[str]] = {}
    for place, analysis in enumerate((one, other)):
        for claim in analysis.claims:
            found = f", is {claim.found}" if claim.found else ""
            both = verdicts.setdefault(claim.text, ["not claimed", "not claimed"])
            both[place] = f"{claim.verdict}{found}"
    for text, (first, second) in verdicts.items():
        yield Fact(name=text, first=first, second=second)


def _statements(model: Model, other: Model) -> Iterable[str]:
    lines = difflib.unified_diff(_lines(model), _lines(other), n=2, lineterm="")
    return [line for line in lines if not line.startswith(("---", "+++"))]


def _lines(model: Model) -> list[str]:
    plain: dict[str, Any] = {"name": "model", "doc": None}
    plain["blocks"] = tuple(
        block.model_copy(update={"doc": None}) for block in model.blocks
    )
    return print_model(model.model_copy(update=plain), SIGNATURES).splitlines()


def _weights(first: Tensors, second: Tensors) -> Iterable[Weight]:
    """Each tensor of either model; those that differ by an index count as one."""
    counts: dict[tuple[str, Any, Any], int] = {}
    for name in dict.fromkeys((*first, *second)):
        shapes = (first.get(name), second.get(name))
        key = (_without_index(name), *shapes)
        counts[key] = counts.get(key, 0) + 1
    for (name, one, two), count in counts.items():
        yield Weight(name=name, first=one, second=two, count=count)


def _without_index(name: str) -> str:
    return ".".join("*" if part.isdigit() else part for part in name.split("."))


def _dims(dims: tuple[int, ...] | None) -> str:
    return " × ".join(map(str, dims or ()))
