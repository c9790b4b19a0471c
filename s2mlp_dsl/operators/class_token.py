"""class_token: a learned token that collects what the image is about."""

from collections.abc import Iterator, Mapping

from s2mlp_dsl.ir.shape import Shape, Tokens
from s2mlp_dsl.operators import Array, Construct, Properties, Term
from s2mlp_dsl.operators._tokens import OnTokens


class ClassToken(OnTokens):
    name = "class_token"
    summary = "puts a learned token before the others"
    formula = "y[0] = w; y[i + 1] = x[i]"
    initialisation = "w normal with standard deviation 0.02"
    paper = "ViT, Dosovitskiy et al. 2021; BERT, Devlin et al. 2019"
    example = "class_token"

    def shape(self) -> Shape:
        return Tokens(count=self.tokens.count + 1, channels=self.x.channels)

    def sources(self) -> list[int | None]:
        return [None, *range(self.tokens.count)]

    keeps_zeros = False

    def tensors(self) -> dict[str, tuple[int, ...]]:
        return {"weight": (self.x.channels,)}

    def properties(self) -> Properties:
        return Properties(spatial_specific=True, channel_specific=True)

    def construct(self) -> Construct:
        return Construct.of("ClassToken", self.x.channels)

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        first = np.broadcast_to(tensors["weight"], (len(x), 1, x.shape[-1]))
        return np.concatenate([first, x], axis=1)

    def linear_map(self) -> Iterator[Term]:
        for channel in range(self.x.channels):
            yield Term((0, channel), None, (channel,))
        yield from super().linear_map()
