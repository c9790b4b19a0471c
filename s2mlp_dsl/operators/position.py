"""position: a learned embedding that tells positions apart."""

from collections.abc import Iterator, Mapping
from itertools import product

from s2mlp_dsl.ir.shape import Map, Shape, Tokens, positions
from s2mlp_dsl.operators import codes
from s2mlp_dsl.operators.base import (
    Args,
    Array,
    Construct,
    Operator,
    Properties,
    Refusal,
    Term,
)
from s2mlp_dsl.operators.receptive_field import POINTWISE, ReceptiveField


class Position(Operator):
    name = "position"
    summary = "adds a learned number to each channel of each position"
    formula = "y[p, c] = x[p, c] + w[p, c]; a clip's frames share w"
    initialisation = "w normal with standard deviation 0.02"
    paper = "ViT, Dosovitskiy et al. 2021"
    example = "position"
    example_input = Map(height=3, width=5, channels=4)

    def shape(self, x: Shape | None, a: Args) -> Shape:
        if isinstance(x, Map | Tokens):
            return x
        raise Refusal(
            codes.NOT_A_MAP,
            f"a vector of {x} channels enters, and it has one position",
            help="write `position` before the map is pooled",
        )

    def tensors(self, x: Shape | None, a: Args) -> dict[str, tuple[int, ...]]:
        assert x is not None
        return {"weight": _size(x)}

    def receptive_field(self, x: Shape, a: Args) -> ReceptiveField:
        return POINTWISE

    def properties(self, x: Shape | None, a: Args) -> Properties:
        return Properties(True, "position", True, True)

    def construct(self, x: Shape | None, a: Args) -> Construct:
        assert x is not None
        return Construct("Position", _size(x))

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        y: Array = x + tensors["weight"]
        return y

    def linear_map(self, x: Shape, a: Args) -> Iterator[Term]:
        count = positions(x) // (x.frames if isinstance(x, Map) else 1)
        for place, channel in product(range(positions(x)), range(x.channels)):
            yield Term((place, channel), (place, channel), None)
            yield Term((place, channel), None, (place % count, channel))


def _size(x: Shape) -> tuple[int, ...]:
    """[height, width, channels] of a map, [count, channels] of tokens."""
    return x.dims[-3:] if isinstance(x, Map) else x.dims
