"""split_attention: branches weighted by what all of them see."""

import math
from collections.abc import Mapping

from s2mlp_dsl.ir.shape import Map, Shape
from s2mlp_dsl.operators.base import Args, Array, Construct, Parameter, Properties
from s2mlp_dsl.operators.merge import BRANCHES, Merge, parts_of
from s2mlp_dsl.operators.receptive_field import Part, ReceptiveField


class SplitAttention(Merge):
    name = "split_attention"
    summary = "a sum of the branches, weighted per channel by what all positions see"
    formula = (
        "a = Σ or mean of xₖ over branches (and positions); w = softmax over k of "
        "W₂ · gelu(W₁ · a + b₁) + b₂; y = Σ wₖ · xₖ"
    )
    initialisation = "weights and biases uniform in ±1/√(channels that enter)"
    paper = "S²-MLPv2, Yu et al. 2021; Vision Permutator, Hou et al. 2021"
    parameters = (
        BRANCHES,
        Parameter("hidden", "count", "channels between the two layers"),
        Parameter("over", "enum", "how positions are joined", "sum", ("sum", "mean")),
        Parameter("bias", "enum", "whether b₁ and b₂ are there", "off", ("on", "off")),
    )
    example = (
        "parallel(copy, merge = split_attention(hidden = 2)) {\n"
        " branch { linear(4) }\n branch { }\n}"
    )
    example_input = Map(height=3, width=5, channels=4)

    def tensors(self, x: Shape | None, a: Args) -> dict[str, tuple[int, ...]]:
        assert x is not None
        hidden, width = a.count("hidden"), x.channels // a.count("branches")
        has_bias = a.enum("bias") == "on"
        return {
            "squeeze.weight": (hidden, width),
            **({"squeeze.bias": (hidden,)} if has_bias else {}),
            "expand.weight": (x.channels, hidden),
            **({"expand.bias": (x.channels,)} if has_bias else {}),
        }

    def terms(self, name: str, x: Shape | None, a: Args) -> int:
        """A sum over positions is as many times the mean that they share.

        Scores that grow with it leave nothing of softmax but the largest.
        """
        count = super().terms(name, x, a)
        if name != "squeeze.weight" or a.enum("over") == "mean":
            return count
        assert x is not None
        return count * (a.count("branches") * math.prod(x.dims[:-1])) ** 2

    def rowwise(self, x: Shape | None, a: Args) -> bool:
        return False  # its weights are of a whole map

    def macs(self, x: Shape | None, a: Args) -> int:
        assert x is not None
        width = x.channels // a.count("branches")
        return a.count("hidden") * (width + x.channels)

    def receptive_field(self, x: Shape, a: Args) -> ReceptiveField:
        added = ReceptiveField(mixes=False, slices=a.count("branches"))
        return ReceptiveField(mixes=True, parts=(Part(None, "all"),), content=added)

    def properties(self, x: Shape | None, a: Args) -> Properties:
        return Properties(True, "everything", False, True)

    def construct(self, x: Shape | None, a: Args) -> Construct:
        assert x is not None
        branches = a.count("branches")
        return Construct(
            "SplitAttention",
            (branches, x.channels // branches, a.count("hidden")),
            (
                *((("over", "mean"),) if a.enum("over") == "mean" else ()),
                *((("bias", True),) if a.enum("bias") == "on" else ()),
            ),
        )

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        parts = np.stack(parts_of(x, a), axis=1)  # [batch, branch, …, channels]
        seen = parts.sum(axis=1)
        everywhere = tuple(range(1, seen.ndim - 1))
        is_mean = a.enum("over") == "mean"
        pooled = seen.mean(everywhere) if is_mean else seen.sum(everywhere)
        hidden = pooled @ tensors["squeeze.weight"].T + tensors.get("squeeze.bias", 0)
        erf = np.vectorize(math.erf)(hidden / math.sqrt(2))
        scores = hidden * (1 + erf) / 2 @ tensors["expand.weight"].T
        scores = scores + tensors.get("expand.bias", 0)
        scores = scores.reshape(len(x), a.count("branches"), -1)
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        spread = weights.reshape(*weights.shape[:2], *(1 for _ in everywhere), -1)
        y: Array = (spread * parts).sum(axis=1)
        return y
