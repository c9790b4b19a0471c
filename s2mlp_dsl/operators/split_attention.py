"""split_attention: branches weighted by the features of all of them."""

import math
from collections.abc import Mapping

from s2mlp_dsl.operators import (
    Array,
    Construct,
    Count,
    Enum,
    Part,
    Properties,
    PythonLiteral,
    ReceptiveField,
    Switch,
)
from s2mlp_dsl.operators._merge import Merge


class SplitAttention(Merge):
    name = "split_attention"
    summary = "a sum of the branches, weighted per channel by features of all positions"
    formula = (
        "a = Σ or mean of xₖ over branches (and positions); w = softmax over k of "
        "W₂ · gelu(W₁ · a + b₁) + b₂; y = Σ wₖ · xₖ"
    )
    initialisation = "weights and biases uniform in ±1/√(input channels)"
    paper = "S²-MLPv2, Yu et al. 2021; Vision Permutator, Hou et al. 2021"
    example = (
        "parallel(copy, merge = split_attention(hidden = 2)) {\n"
        " branch { linear(4) }\n branch { }\n}"
    )
    has_matrices = True

    hidden = Count("channels between the two layers")
    over = Enum("how positions are pooled", "sum", choices=("sum", "mean"))
    bias = Switch("whether b₁ and b₂ are added", "off")

    keeps_zeros = True  # the branches are weighted, and added up

    def tensors(self) -> dict[str, tuple[int, ...]]:
        sizes = {
            "squeeze.weight": (self.hidden, self.width),
            "squeeze.bias": (self.hidden,),
            "expand.weight": (self.x.channels, self.hidden),
            "expand.bias": (self.x.channels,),
        }
        return {k: v for k, v in sizes.items() if self.bias or k.endswith("weight")}

    def fan_in(self, name: str) -> int:
        """A sum over positions is as many times their mean.

        With scores that grow with it, softmax would pick the largest alone.
        """
        count = super().fan_in(name)
        if name != "squeeze.weight" or self.over == "mean":
            return count
        return count * (self.branches * math.prod(self.x.dims[:-1])) ** 2

    def macs(self) -> int:
        return self.hidden * (self.width + self.x.channels)

    def receptive_field(self) -> ReceptiveField:
        added = ReceptiveField(mixes=False, slices=self.branches)
        return ReceptiveField(
            mixes=True, parts=(Part(None, "all"),), content=added, product=True
        )

    def properties(self) -> Properties:
        return Properties("everything", channel_specific=True)

    def accepts_rows(self) -> bool:
        return False  # its weights are computed from a whole map

    def construct(self) -> Construct:
        options: dict[str, PythonLiteral] = {}
        if self.over == "mean":
            options["over"] = "mean"
        if self.bias:
            options["bias"] = True
        return Construct.of(
            "SplitAttention", self.branches, self.width, self.hidden, **options
        )

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        parts = np.stack(self.split(x), axis=1)  # [batch, branch, …, channels]
        added = parts.sum(axis=1)
        everywhere = tuple(range(1, added.ndim - 1))
        pool = added.mean if self.over == "mean" else added.sum
        hidden = pool(everywhere) @ tensors["squeeze.weight"].T
        hidden = hidden + tensors.get("squeeze.bias", 0)
        erf = np.vectorize(math.erf)(hidden / math.sqrt(2))
        scores = hidden * (1 + erf) / 2 @ tensors["expand.weight"].T
        scores = scores + tensors.get("expand.bias", 0)
        scores = scores.reshape(len(x), self.branches, -1)
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        spread = weights.reshape(*weights.shape[:2], *(1 for _ in everywhere), -1)
        y: Array = (spread * parts).sum(axis=1)
        return y
