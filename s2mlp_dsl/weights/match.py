"""Matching the tensors of third-party weights with those of a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from s2mlp_dsl.analysis.cost import buffers_of, tensors_of
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.ir.walk import occurrences
from s2mlp_dsl.weights.rules import Rule

Dims = tuple[int, ...]


@dataclass(frozen=True)
class Pair:
    """Two tensors that are the same; `dims` is the shape in our model."""

    theirs: str
    ours: str
    dims: Dims
    reshaped: bool


@dataclass(frozen=True)
class Matched:
    """All pairs, and the reasons for what is missing and what is not used."""

    pairs: tuple[Pair, ...]
    missing: tuple[tuple[str, str], ...]
    unused: tuple[tuple[str, str], ...]

    @property
    def whole(self) -> bool:
        """Whether every tensor of the model has a counterpart."""
        return not self.missing


def stored_in(model: Model) -> dict[str, Dims]:
    """Names and shapes of a model's parameters and buffers."""
    found: dict[str, Dims] = {}
    for visit in occurrences(model, each=True):
        for name, dims in tensors_of(visit.op).items():
            found[f"{visit.path}.{name}"] = dims
        for name, buffer in buffers_of(visit.op).items():
            found[f"{visit.path}.{name}"] = buffer.shape
    return found


def match(
    ours: Mapping[str, Dims], theirs: Mapping[str, Dims], rules: Sequence[Rule]
) -> Matched:
    """Pair tensors by the rules. Shapes must agree, except for flattened axes."""
    pairs: dict[str, Pair] = {}
    unused: dict[str, str] = {}
    refused: dict[str, str] = {}
    for name, dims in theirs.items():
        renamed = next((new for rule in rules if (new := rule.rename(name))), None)
        if renamed is None:
            unused[name] = "no rule names it"
        elif renamed not in ours:
            unused[name] = f"it would be `{renamed}`, which the model does not have"
        elif renamed in pairs:
            unused[name] = f"`{pairs[renamed].theirs}` is `{renamed}` already"
        elif not _alike(dims, ours[renamed]):
            refused[renamed] = f"{_show(dims)} there, {_show(ours[renamed])} here"
            unused[name] = f"`{renamed}` has another shape"
        else:
            other = dims != ours[renamed]
            pairs[renamed] = Pair(name, renamed, ours[renamed], other)
    missing = {
        name: refused.get(name, "no tensor is mapped to it")
        for name in ours
        if name not in pairs
    }
    return Matched(tuple(pairs.values()), tuple(missing.items()), tuple(unused.items()))


def _alike(one: Dims, other: Dims) -> bool:
    """Equal except for axes of length 1, or for flattening all axes after the first.

    The weight of a patch layer is a convolution kernel, flattened in the order channel,
    row, column; the weight of a linear layer is a convolution kernel of one pixel.
    """
    if [n for n in one if n > 1] == [n for n in other if n > 1]:
        return True
    flat = min(len(one), len(other)) == 2 and one[:1] == other[:1]
    return flat and prod(one) == prod(other)


def _show(dims: Dims) -> str:
    return " × ".join(map(str, dims)) or "a number"
