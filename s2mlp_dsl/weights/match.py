"""Their tensors against ours: which is which, what is left over, and why."""

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
    """A tensor of theirs that is one of ours, `dims` as we have it."""

    theirs: str
    ours: str
    dims: Dims
    reshaped: bool


@dataclass(frozen=True)
class Matched:
    """All pairs; what of ours is not filled and what of theirs is not used, and why."""

    pairs: tuple[Pair, ...]
    missing: tuple[tuple[str, str], ...]
    unused: tuple[tuple[str, str], ...]

    @property
    def whole(self) -> bool:
        """Whether every tensor of ours is filled."""
        return not self.missing


def stored_in(model: Model) -> dict[str, Dims]:
    """Name and shape of everything a model keeps: parameters, and what norms count."""
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
    """Pair tensors by the rules; shapes must agree, flattened axes aside."""
    pairs: dict[str, Pair] = {}
    unused: dict[str, str] = {}
    refused: dict[str, str] = {}
    for name, dims in theirs.items():
        renamed = next((new for one in rules if (new := one.rename(name))), None)
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
    """Equal but for axes of length 1, or for the axes behind the first laid flat.

    A patch layer is the same flattened in the order channel, row, column as the
    kernel of a convolution, and a linear layer as a kernel of one pixel.
    """
    if [n for n in one if n > 1] == [n for n in other if n > 1]:
        return True
    flat = min(len(one), len(other)) == 2 and one[:1] == other[:1]
    return flat and prod(one) == prod(other)


def _show(dims: Dims) -> str:
    return " × ".join(map(str, dims)) or "a number"
