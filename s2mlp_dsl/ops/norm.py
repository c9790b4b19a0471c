"""norm: layer normalisation, or the affine map that ResMLP puts in its place."""

from collections.abc import Mapping
from fractions import Fraction

from s2mlp_dsl.ir.shape import Map, Shape, positions
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
from s2mlp_dsl.ops.reach import MIXING, POINTWISE, Part, Reach

EPS = Fraction(1, 100_000)


class Norm(Operator):
    name = "norm"
    summary = "normalises (layer) or only rescales (affine) the channels of a position"
    formula = (
        "layer: y = w · (x − mean) / √(var + eps) + b, mean and biased variance over "
        "the channels; affine: y = w · x + b"
    )
    initialisation = "w = 1, b = 0"
    paper = "Ba et al. 2016 (layer); ResMLP, Touvron et al. 2021 (affine)"
    parameters = (
        Parameter("kind", "word", "which one", choices=("layer", "affine")),
        Parameter("eps", "number", "added to the variance (layer only)", EPS),
    )
    example = "norm(layer)"
    example_input = Map(height=3, width=5, channels=4)

    def shape(self, x: Shape | None, a: Args) -> Shape:
        assert x is not None
        affine = a.word("kind") == "affine"
        if affine and a.values["eps"] != EPS:
            raise Refusal(
                codes.EPS,
                "`affine` has no variance to add it to",
                argument="eps",
                help="remove it, or take `norm(layer)`",
            )
        if a.number("eps") <= 0:
            raise Refusal(
                codes.EPS,
                "it is not above zero",
                argument="eps",
                help="take a small number, such as 1e-5",
            )
        return x

    def tensors(self, x: Shape | None, a: Args) -> dict[str, tuple[int, ...]]:
        assert x is not None
        return {"weight": (x.channels,), "bias": (x.channels,)}

    def reach(self, x: Shape, a: Args) -> Reach:
        if a.word("kind") == "affine":
            return POINTWISE
        if x.channels == 1:  # a number minus itself: only the bias is left
            return Reach(mixes=True, parts=(Part(None, ((),) * positions(x)),))
        return MIXING

    def properties(self, x: Shape | None, a: Args) -> Properties:
        return Properties(True, "position", False, True)

    def construct(self, x: Shape | None, a: Args) -> Construct:
        assert x is not None
        if a.word("kind") == "affine":
            return Construct("Affine", (x.channels,))
        eps = a.number("eps")
        changed = (("eps", eps),) if eps != float(EPS) else ()
        return Construct("nn.LayerNorm", (x.channels,), changed)

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        if a.word("kind") == "layer":
            centred = x - x.mean(axis=-1, keepdims=True)
            variance = (centred**2).mean(axis=-1, keepdims=True)
            x = centred / np.sqrt(variance + a.number("eps"))
        y: Array = x * tensors["weight"] + tensors["bias"]
        return y
