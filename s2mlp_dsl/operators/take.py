"""take: one of the tokens as a vector."""

from collections.abc import Mapping

from s2mlp_dsl.ir.shape import Shape, Vector
from s2mlp_dsl.operators import Array, Construct, Enum, Properties
from s2mlp_dsl.operators._tokens import OnTokens


class Take(OnTokens):
    name = "take"
    summary = "one token, as a vector"
    formula = "y = x[0] (first) or x[n − 1] (last)"
    paper = "ViT, Dosovitskiy et al. 2021 (the class token)"
    example = "take(first)"

    which = Enum("which token", choices=("first", "last"))

    def shape(self) -> Shape:
        return Vector(channels=self.tokens.channels)

    def sources(self) -> list[int]:
        return [0 if self.which == "first" else self.tokens.count - 1]

    def properties(self) -> Properties:
        return Properties(spatial_specific=True)

    def construct(self) -> Construct:
        return Construct.of("Take", 0 if self.which == "first" else -1)

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        y: Array = x[:, 0] if self.which == "first" else x[:, -1]
        return y
