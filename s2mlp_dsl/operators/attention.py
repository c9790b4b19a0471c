"""attention: every position reads every other, weighted by how they match."""

from collections.abc import Mapping

from s2mlp_dsl.diagnostics.catalogue import shapes
from s2mlp_dsl.ir.shape import Map, Shape, positions, positions_in_frame
from s2mlp_dsl.operators import (
    Array,
    Construct,
    Count,
    Operator,
    Properties,
    ReceptiveField,
    Refusal,
    Switch,
    within_frames,
)
from s2mlp_dsl.operators._division import divided, nearest_divisors


class Attention(Operator):
    name = "attention"
    summary = "multi-head self-attention over the positions of a map or of tokens"
    formula = (
        "(q, k, v) = W₁ · x + b₁, each split into heads of d channels; "
        "head = softmax over positions of (q · kᵀ / √d), times v; "
        "y = W₂ · (concatenated heads) + b₂; the frames of a clip separately"
    )
    initialisation = "weights and biases uniform in ±1/√(input channels)"
    paper = "Vaswani et al. 2017; ViT, Dosovitskiy et al. 2021"
    example = "attention(2)"
    example_input = Map(height=3, width=5, channels=4)
    has_matrices = True

    heads = Count("number of heads; it must divide the channels")
    bias = Switch("whether b₁ is added", "on")

    def shape(self) -> Shape:
        if self.x.kind == "vector":
            raise Refusal(shapes.POSITIONS_NEEDED, channels=self.x.channels)
        if self.x.channels % self.heads:
            raise Refusal(
                shapes.HEADS_DIVIDE,
                argument="heads",
                near=nearest_divisors(self.x.channels, self.heads),
                **divided(self.x.channels, self.heads),
            )
        return self.x

    def tensors(self) -> dict[str, tuple[int, ...]]:
        c = self.x.channels
        return {
            "qkv.weight": (3 * c, c),
            **({"qkv.bias": (3 * c,)} if self.bias else {}),
            "proj.weight": (c, c),
            "proj.bias": (c,),
        }

    def macs(self) -> int:
        """Both linear layers, and two products of positions × positions × d."""
        count, channels = positions(self.x), self.x.channels
        products = 2 * count * positions_in_frame(self.x) * channels
        return 4 * count * channels**2 + products

    def receptive_field(self) -> ReceptiveField:
        return within_frames(self.x)

    def properties(self) -> Properties:
        return Properties("position" if positions(self.x) == 1 else "everything")

    def construct(self) -> Construct:
        callee = self.for_frames("Attention")
        options = {} if self.bias else {"bias": False}
        return Construct.of(callee, self.x.channels, num_heads=self.heads, **options)

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        channels, width = self.x.channels, self.x.channels // self.heads
        flat = x.reshape(-1, positions_in_frame(self.x), channels)  # frame by frame
        qkv = flat @ tensors["qkv.weight"].T + tensors.get("qkv.bias", 0)
        y = np.empty_like(flat)
        for start in range(0, channels, width):
            q, k, v = (
                qkv[..., part + start : part + start + width]
                for part in (0, channels, 2 * channels)
            )
            scores = q @ k.transpose(0, 2, 1) / np.sqrt(width)
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            weights /= weights.sum(-1, keepdims=True)
            y[..., start : start + width] = weights @ v
        y = y @ tensors["proj.weight"].T + tensors["proj.bias"]
        return y.reshape(x.shape)
