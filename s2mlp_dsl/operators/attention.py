"""attention: every position reads every other, weighted by how they match."""

from collections.abc import Mapping

from s2mlp_dsl.ir.shape import Map, Shape, Tokens, positions
from s2mlp_dsl.operators import codes
from s2mlp_dsl.operators.base import (
    Args,
    Array,
    Construct,
    Operator,
    Parameter,
    Properties,
    Reads,
    Refusal,
)
from s2mlp_dsl.operators.receptive_field import ReceptiveField, within_frames


class Attention(Operator):
    name = "attention"
    summary = "multi-head self-attention over the positions of a map or of tokens"
    formula = (
        "(q, k, v) = W₁ · x + b₁, each cut into heads of d channels; "
        "head = softmax over positions of (q · kᵀ / √d), times v; "
        "y = W₂ · (heads side by side) + b₂; a clip's frames each for themselves"
    )
    initialisation = "weights and biases uniform in ±1/√(channels that enter)"
    paper = "Vaswani et al. 2017; ViT, Dosovitskiy et al. 2021"
    parameters = (
        Parameter("heads", "count", "how many there are; they divide the channels"),
        Parameter("bias", "enum", "whether b₁ is there", "on", ("on", "off")),
    )
    example = "attention(2)"
    example_input = Map(height=3, width=5, channels=4)

    def shape(self, x: Shape | None, a: Args) -> Shape:
        if not isinstance(x, Map | Tokens):
            raise Refusal(
                codes.NOT_A_MAP,
                f"a vector of {x} channels enters, and it has one position",
                help="attend before the map is pooled",
            )
        heads, channels = a.count("heads"), x.channels
        if channels % heads:
            near = [one for one in range(1, channels + 1) if channels % one == 0]
            near = sorted(sorted(near, key=lambda one: abs(one - heads))[:2])
            raise Refusal(
                codes.HEADS,
                f"{channels} channels = {heads} · {channels // heads} "
                f"+ {channels % heads}",
                argument="heads",
                help=f"take {' or '.join(map(str, near))} heads",
            )
        return x

    def tensors(self, x: Shape | None, a: Args) -> dict[str, tuple[int, ...]]:
        assert x is not None
        c = x.channels
        bias = {} if a.enum("bias") == "off" else {"qkv.bias": (3 * c,)}
        return {
            "qkv.weight": (3 * c, c),
            **bias,
            "proj.weight": (c, c),
            "proj.bias": (c,),
        }

    def macs(self, x: Shape | None, a: Args) -> int:
        """Both linear layers, and two products of positions × positions × d."""
        assert x is not None
        frames = x.frames if isinstance(x, Map) else 1
        products = 2 * positions(x) * (positions(x) // frames) * x.channels
        return 4 * positions(x) * x.channels**2 + products

    def receptive_field(self, x: Shape, a: Args) -> ReceptiveField:
        return within_frames(x)

    def properties(self, x: Shape | None, a: Args) -> Properties:
        reads: Reads = "everything"
        if x is not None and positions(x) == 1:
            reads = "position"
        return Properties(True, reads, False, False)

    def construct(self, x: Shape | None, a: Args) -> Construct:
        assert x is not None
        off = (("bias", False),) if a.enum("bias") == "off" else ()
        is_clip = isinstance(x, Map) and x.time is not None
        callee = "FrameAttention" if is_clip else "Attention"
        return Construct(callee, (x.channels,), (("heads", a.count("heads")), *off))

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        heads, channels = a.count("heads"), x.shape[-1]
        width = channels // heads
        frames = len(x) * x.shape[1] if x.ndim == 5 else len(x)
        flat = x.reshape(frames, -1, channels)
        qkv = flat @ tensors["qkv.weight"].T + tensors.get("qkv.bias", 0)
        y = np.empty_like(flat)
        for head in range(heads):
            mine = [
                qkv[..., start + head * width : start + (head + 1) * width]
                for start in (0, channels, 2 * channels)
            ]
            scores = mine[0] @ mine[1].transpose(0, 2, 1) / np.sqrt(width)
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            weights /= weights.sum(-1, keepdims=True)
            y[..., head * width : (head + 1) * width] = weights @ mine[2]
        y = y @ tensors["proj.weight"].T + tensors["proj.bias"]
        return y.reshape(x.shape)
