"""scale: one learned factor per channel (LayerScale)."""

from collections.abc import Iterator, Mapping
from itertools import product

from s2mlp_dsl.ir.shape import Map, Shape, positions
from s2mlp_dsl.operators.base import (
    Args,
    Array,
    Construct,
    Operator,
    Parameter,
    Properties,
    Term,
)
from s2mlp_dsl.operators.receptive_field import POINTWISE, ReceptiveField


class Scale(Operator):
    name = "scale"
    summary = "multiplies each channel by a learned factor (LayerScale)"
    formula = "y[p, c] = w[c] · x[p, c]"
    initialisation = "w = init"
    paper = "CaiT, Touvron et al. 2021; ResMLP, Touvron et al. 2021"
    parameters = (Parameter("init", "number", "where every factor begins"),)
    example = "scale(1e-5)"
    example_input = Map(height=3, width=5, channels=4)

    def shape(self, x: Shape | None, a: Args) -> Shape:
        assert x is not None
        return x

    def tensors(self, x: Shape | None, a: Args) -> dict[str, tuple[int, ...]]:
        assert x is not None
        return {"weight": (x.channels,)}

    def receptive_field(self, x: Shape, a: Args) -> ReceptiveField:
        return POINTWISE

    def properties(self, x: Shape | None, a: Args) -> Properties:
        return Properties(True, "position", False, True)

    def rowwise(self, x: Shape | None, a: Args) -> bool:
        return True

    def construct(self, x: Shape | None, a: Args) -> Construct:
        assert x is not None
        return Construct("Scale", (x.channels,), (("init", a.number("init")),))

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        y: Array = x * tensors["weight"]
        return y

    def linear_map(self, x: Shape, a: Args) -> Iterator[Term]:
        for place, channel in product(range(positions(x)), range(x.channels)):
            yield Term((place, channel), (place, channel), (channel,))
