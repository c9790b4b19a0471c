"""pool: one vector from a whole map, or from all tokens."""

from collections.abc import Mapping

from s2mlp_dsl.ir.shape import Map, Shape, Tokens, Vector, positions
from s2mlp_dsl.ops import codes
from s2mlp_dsl.ops.base import (
    Args,
    Array,
    Construct,
    Operator,
    Parameter,
    Properties,
    Refusal,
)
from s2mlp_dsl.ops.reach import Part, Reach


class Pool(Operator):
    name = "pool"
    summary = "the mean or the maximum over all positions, channel by channel"
    formula = "y[c] = mean or max over p of x[p, c]"
    paper = "S²-MLP section 3.2 (mean)"
    parameters = (Parameter("kind", "word", "which one", choices=("mean", "max")),)
    example = "pool(mean)"
    example_input = Map(height=3, width=5, channels=4)

    def shape(self, x: Shape | None, a: Args) -> Shape:
        if not isinstance(x, Map | Tokens):
            raise Refusal(
                codes.NOT_A_MAP,
                f"a vector of {x} channels enters",
                help="the map is pooled already: remove this statement",
            )
        return Vector(channels=x.channels)

    def reach(self, x: Shape, a: Args) -> Reach:
        everywhere = (tuple(range(positions(x))),)
        return Reach(mixes=False, parts=(Part(None, everywhere),))

    def properties(self, x: Shape | None, a: Args) -> Properties:
        return Properties(False, "everything", False, False)

    def construct(self, x: Shape | None, a: Args) -> Construct:
        return Construct("MeanPool" if a.word("kind") == "mean" else "MaxPool")

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        places = tuple(range(1, x.ndim - 1))
        y: Array = x.mean(places) if a.word("kind") == "mean" else x.max(places)
        return y
