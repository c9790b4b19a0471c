"""class_token, take: a token that stands for the whole image, put in and read.

With `position` and `attention` they make ViT of the language.
"""

from collections.abc import Iterator, Mapping
from itertools import product

from s2mlp_dsl.ir.shape import Shape, Tokens, Vector
from s2mlp_dsl.operators import codes
from s2mlp_dsl.operators.base import (
    Args,
    Array,
    Construct,
    Operator,
    Parameter,
    Properties,
    Refusal,
    Term,
)
from s2mlp_dsl.operators.receptive_field import Part, ReceptiveField


def _need_tokens(x: Shape | None) -> Tokens:
    if isinstance(x, Tokens):
        return x
    found = "nothing" if x is None else f"a {x.kind}, {x},"
    raise Refusal(
        codes.NOT_TOKENS,
        f"{found} enters",
        help='write `rearrange("y x c -> (y x) c")` before it, for a map',
    )


class ClassToken(Operator):
    name = "class_token"
    summary = "puts a learned token before the others"
    formula = "y[0] = w; y[i + 1] = x[i]"
    initialisation = "w normal with standard deviation 0.02"
    paper = "ViT, Dosovitskiy et al. 2021; BERT, Devlin et al. 2019"
    example = "class_token"
    example_input = Tokens(count=6, channels=4)

    def shape(self, x: Shape | None, a: Args) -> Shape:
        x = _need_tokens(x)
        return Tokens(count=x.count + 1, channels=x.channels)

    def tensors(self, x: Shape | None, a: Args) -> dict[str, tuple[int, ...]]:
        assert x is not None
        return {"weight": (x.channels,)}

    def receptive_field(self, x: Shape, a: Args) -> ReceptiveField:
        assert isinstance(x, Tokens)
        table = ((), *((place,) for place in range(x.count)))
        return ReceptiveField(mixes=False, parts=(Part(None, table),))

    def properties(self, x: Shape | None, a: Args) -> Properties:
        return Properties(True, "position", True, True)

    def construct(self, x: Shape | None, a: Args) -> Construct:
        assert x is not None
        return Construct("ClassToken", (x.channels,))

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        first = np.broadcast_to(tensors["weight"], (len(x), 1, x.shape[-1]))
        return np.concatenate([first, x], axis=1)

    def linear_map(self, x: Shape, a: Args) -> Iterator[Term]:
        assert isinstance(x, Tokens)
        for channel in range(x.channels):
            yield Term((0, channel), None, (channel,))
        for place, channel in product(range(x.count), range(x.channels)):
            yield Term((place + 1, channel), (place, channel), None)


class Take(Operator):
    name = "take"
    summary = "one token, as a vector"
    formula = "y = x[0] (first) or x[n − 1] (last)"
    paper = "ViT, Dosovitskiy et al. 2021 (the class token)"
    parameters = (Parameter("which", "enum", "which one", None, ("first", "last")),)
    example = "take(first)"
    example_input = Tokens(count=6, channels=4)

    def shape(self, x: Shape | None, a: Args) -> Shape:
        return Vector(channels=_need_tokens(x).channels)

    def receptive_field(self, x: Shape, a: Args) -> ReceptiveField:
        return ReceptiveField(mixes=False, parts=(Part(None, ((_taken(x, a),),)),))

    def properties(self, x: Shape | None, a: Args) -> Properties:
        return Properties(False, "position", True, False)

    def construct(self, x: Shape | None, a: Args) -> Construct:
        return Construct("Take", (0 if a.enum("which") == "first" else -1,))

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        y: Array = x[:, 0] if a.enum("which") == "first" else x[:, -1]
        return y

    def linear_map(self, x: Shape, a: Args) -> Iterator[Term]:
        for channel in range(x.channels):
            yield Term((0, channel), (_taken(x, a), channel), None)


def _taken(x: Shape, a: Args) -> int:
    assert isinstance(x, Tokens)
    return 0 if a.enum("which") == "first" else x.count - 1
