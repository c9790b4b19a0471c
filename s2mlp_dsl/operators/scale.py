"""scale: one learned factor per channel (LayerScale)."""

from collections.abc import Iterator, Mapping
from itertools import product

from s2mlp_dsl.ir.shape import positions
from s2mlp_dsl.operators import Array, Construct, Number, Term
from s2mlp_dsl.operators._pointwise import Pointwise


class Scale(Pointwise):
    name = "scale"
    summary = "multiplies each channel by a learned factor (LayerScale)"
    formula = "y[p, c] = w[c] · x[p, c]"
    initialisation = "w = init"
    paper = "CaiT, Touvron et al. 2021; ResMLP, Touvron et al. 2021"
    example = "scale(1e-5)"

    init = Number("initial value of every factor")

    def tensors(self) -> dict[str, tuple[int, ...]]:
        return {"weight": (self.x.channels,)}

    def construct(self) -> Construct:
        return Construct.of("Scale", self.x.channels, init=self.init)

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        y: Array = x * tensors["weight"]
        return y

    def linear_map(self) -> Iterator[Term]:
        for place, channel in product(range(positions(self.x)), range(self.x.channels)):
            yield Term((place, channel), (place, channel), (channel,))
