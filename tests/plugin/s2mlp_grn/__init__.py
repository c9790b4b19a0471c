"""grn: global response normalisation."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from s2mlp_dsl.ir.shape import Map, Shape
from s2mlp_dsl.operators import (
    POINTWISE,
    REFUSED,
    Array,
    Construct,
    Number,
    Operator,
    Properties,
    ReceptiveField,
    Refusal,
    within_frames,
)


class Grn(Operator):
    api = 1  # the version of the contract
    modules = Path(__file__).with_name("nn.py")
    name = "grn"
    version = 1  # raise it when the function changes
    summary = "makes channels compete by their norm over all positions"
    formula = """y[p, c] = x[p, c] · (1 + w[c] · n[c] / mean of n) + b[c]
n[c] = √(eps + Σ over positions q of x[q, c]²)"""
    initialisation = "w = 0, b = 0: the identity"
    paper = "ConvNeXt V2, Woo et al. 2023; eps in the root, where zeros have a gradient"
    example = "grn"
    example_input = Map(height=3, width=5, channels=4)

    eps = Number("keeps the norms away from zero", Fraction(1, 10**6))

    def shape(self) -> Shape:
        if self.eps <= 0:
            raise Refusal(
                REFUSED,
                argument="eps",
                reason="it must be above zero",
                help="use a small number, such as 1e-6",
            )
        return self.map

    def tensors(self) -> dict[str, tuple[int, ...]]:
        return {"weight": (self.x.channels,), "bias": (self.x.channels,)}

    def receptive_field(self) -> ReceptiveField:
        # Through the norms, every position and channel of a frame; with the norms held
        # constant, only itself.
        return replace(within_frames(self.x), content=POINTWISE)

    def properties(self) -> Properties:
        return Properties("everything", spatial_specific=False, channel_specific=True)

    def construct(self) -> Construct:
        return Construct.of("GlobalResponseNorm", self.x.channels, self.eps)

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        # [batch, frames of a clip, height, width, channels]
        squares = np.einsum("...yxc,...yxc->...c", x, x)[..., None, None, :]
        norms = np.sqrt(squares + self.eps)
        share = norms / norms.mean(axis=-1, keepdims=True)
        y: Array = x * (1 + tensors["weight"] * share) + tensors["bias"]
        return y
