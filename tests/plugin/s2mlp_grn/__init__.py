"""grn: global response normalisation."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from s2mlp_dsl.ir.shape import Map, Shape
from s2mlp_dsl.operators.base import (
    Args,
    Array,
    Construct,
    Operator,
    Parameter,
    Properties,
    need_map,
)
from s2mlp_dsl.operators.receptive_field import POINTWISE, ReceptiveField, within_frames


class Grn(Operator):
    api = 1  # the contract that this is written for
    modules = Path(__file__).with_name("nn.py")
    name = "grn"
    version = 1  # raise it when the function changes
    summary = "makes channels compete by their norm over all positions"
    formula = """y[p, c] = x[p, c] · (1 + w[c] · n[c] / mean of n) + b[c]
n[c] = √(eps + Σ over positions q of x[q, c]²)"""
    initialisation = "w = 0, b = 0: the identity"
    paper = "ConvNeXt V2, Woo et al. 2023; eps in the root, where zeros have a gradient"
    parameters = (
        Parameter(
            "eps", "number", "keeps the norms away from zero", Fraction(1, 10**6)
        ),
    )
    example = "grn"
    example_input = Map(height=3, width=5, channels=4)

    def shape(self, x: Shape | None, a: Args) -> Shape:
        return need_map(x)

    def tensors(self, x: Shape | None, a: Args) -> dict[str, tuple[int, ...]]:
        assert x is not None
        return {"weight": (x.channels,), "bias": (x.channels,)}

    def receptive_field(self, x: Shape, a: Args) -> ReceptiveField:
        # Through the norms, every position and channel of a frame; with them held
        # constant, nothing but itself.
        return replace(within_frames(x), content=POINTWISE)

    def properties(self, x: Shape | None, a: Args) -> Properties:
        return Properties(
            learned=True, reads="everything", position_bound=False, channel_bound=True
        )

    def construct(self, x: Shape | None, a: Args) -> Construct:
        assert x is not None
        return Construct("GlobalResponseNorm", (x.channels, a.number("eps")))

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        # [batch, frames if there are, height, width, channels]
        squares = np.einsum("...yxc,...yxc->...c", x, x)[..., None, None, :]
        norms = np.sqrt(squares + a.number("eps"))
        share = norms / norms.mean(axis=-1, keepdims=True)
        y: Array = x * (1 + tensors["weight"] * share) + tensors["bias"]
        return y
