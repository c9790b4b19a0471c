"""norm: what keeps the size of numbers in bounds, layer by layer."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from s2mlp_dsl.ir.shape import Map, Shape, positions, positions_in_frame
from s2mlp_dsl.operators import codes
from s2mlp_dsl.operators.base import (
    Args,
    Array,
    Buffer,
    Construct,
    Operator,
    Parameter,
    Properties,
    Refusal,
)
from s2mlp_dsl.operators.receptive_field import (
    MIXING,
    POINTWISE,
    Part,
    ReceptiveField,
    within_frames,
)

EPS = Fraction(1, 100_000)
MOMENTUM = Fraction(1, 10)  # of the batch in the running statistics
_CLASSES = {
    "layer": "nn.LayerNorm",
    "rms": "nn.RMSNorm",
    "batch": "BatchNorm",
    "affine": "Affine",
}


class Norm(Operator):
    name = "norm"
    summary = "normalises by statistics of its kind, or only rescales (affine)"
    formula = (
        "layer, batch, group: y = w · (x − mean) / √(var + eps) + b, mean and biased "
        "variance over the channels (layer), over batch and positions (batch; in "
        "evaluation the running ones, which take a tenth of each batch's mean and "
        "unbiased variance), or over positions and the channels of a group "
        "(group; a clip's frames each for themselves); "
        "rms: y = w · x / √(mean of x² over the channels + eps); affine: y = w · x + b"
    )
    initialisation = "w = 1, b = 0; running mean 0, running variance 1, momentum 0.1"
    paper = (
        "Ba et al. 2016 (layer); Ioffe and Szegedy 2015 (batch); Wu and He 2018 "
        "(group); Zhang and Sennrich 2019 (rms); ResMLP, Touvron et al. 2021 (affine)"
    )
    parameters = (
        Parameter(
            "kind",
            "enum",
            "which one",
            choices=("layer", "affine", "batch", "group", "rms"),
        ),
        Parameter("eps", "number", "added to the variance (not affine)", EPS),
        Parameter("groups", "count", "how many there are (group only)", 1),
    )
    example = "norm(layer)"
    example_input = Map(height=3, width=5, channels=4)

    def shape(self, x: Shape | None, a: Args) -> Shape:
        assert x is not None
        affine = a.enum("kind") == "affine"
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
        self._hold_groups(x, a)
        return x

    def _hold_groups(self, x: Shape, a: Args) -> None:
        groups = a.values.get("groups", 1)
        assert isinstance(groups, int)
        if a.enum("kind") != "group" and groups != 1:
            raise Refusal(
                codes.NORM_GROUPS,
                f"`{a.enum('kind')}` has no groups",
                argument="groups",
                help=f"remove it, or take `norm(group, groups = {groups})`",
            )
        if x.channels % groups:
            raise Refusal(
                codes.NORM_GROUPS,
                f"{x.channels} channels = {groups} · {x.channels // groups} "
                f"+ {x.channels % groups}",
                argument="groups",
                help=f"take a number that divides {x.channels}",
            )
        if a.enum("kind") == "group" and positions_in_frame(x) * x.channels == groups:
            raise Refusal(
                codes.NORM_GROUPS,
                "a group is a single number here, which is its own mean",
                argument="groups",
                help="take fewer groups",
            )

    def settle(self, x: Shape | None, a: Args) -> Args:
        """Only `group` keeps its groups; the others have none to speak of."""
        if a.enum("kind") == "group":
            return a
        return Args({name: one for name, one in a.values.items() if name != "groups"})

    def tensors(self, x: Shape | None, a: Args) -> dict[str, tuple[int, ...]]:
        assert x is not None
        bias = {} if a.enum("kind") == "rms" else {"bias": (x.channels,)}
        return {"weight": (x.channels,), **bias}

    def buffers(self, x: Shape | None, a: Args) -> dict[str, Buffer]:
        assert x is not None
        if a.enum("kind") != "batch":
            return {}
        return {
            "running_mean": Buffer((x.channels,), "any"),
            "running_var": Buffer((x.channels,), "positive"),
            "num_batches_tracked": Buffer((), "count"),
        }

    def receptive_field(self, x: Shape, a: Args) -> ReceptiveField:
        kind = a.enum("kind")
        if kind in ("affine", "batch"):
            return POINTWISE
        if kind == "group":
            return replace(within_frames(x, a.count("groups")), content=POINTWISE)
        if kind == "layer" and x.channels == 1:
            nothing = ((),) * positions(x)  # minus itself: only the bias is left
            return ReceptiveField(mixes=True, parts=(Part(None, nothing),))
        return MIXING

    def properties(self, x: Shape | None, a: Args) -> Properties:
        everything = a.enum("kind") == "group"
        return Properties(True, "everything" if everything else "position", False, True)

    def rowwise(self, x: Shape | None, a: Args) -> bool:
        return a.enum("kind") != "group"

    def construct(self, x: Shape | None, a: Args) -> Construct:
        assert x is not None
        kind, eps = a.enum("kind"), a.number("eps")
        # PyTorch's RMS norm has another default.
        changed = (("eps", eps),) if eps != float(EPS) or kind == "rms" else ()
        if kind == "group":
            is_clip = isinstance(x, Map) and x.time is not None
            callee = "FrameGroupNorm" if is_clip else "GroupNorm"
            return Construct(callee, (a.count("groups"), x.channels), changed)
        return Construct(_CLASSES[kind], (x.channels,), changed)

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        kind = a.enum("kind")
        if kind == "batch":
            mean, variance = tensors["running_mean"], tensors["running_var"]
            return _batch_normed(x, mean, variance, a, tensors)
        if kind == "rms":
            square = (x**2).mean(axis=-1, keepdims=True)
            x = x / np.sqrt(square + a.number("eps"))
        elif kind != "affine":
            # [batch and frames, positions, groups, channels of a group]
            groups = a.count("groups") if kind == "group" else 1
            grouped = x.reshape(*x.shape[:-1], groups, -1)
            if kind == "group":
                frames = len(x) if x.ndim < 5 else len(x) * x.shape[1]
                grouped = x.reshape(frames, -1, groups, x.shape[-1] // groups)
            over = (1, 3) if kind == "group" else (-1,)
            centred = grouped - grouped.mean(over, keepdims=True)
            variance = (centred**2).mean(over, keepdims=True)
            x = (centred / np.sqrt(variance + a.number("eps"))).reshape(x.shape)
        y: Array = x * tensors["weight"]
        return y + tensors["bias"] if "bias" in tensors else y

    def reference_in_training(
        self, x: Array, a: Args, tensors: Mapping[str, Array]
    ) -> tuple[Array, dict[str, Array]]:
        """Only `batch` gets here: it has the buffers."""
        samples = x.reshape(-1, x.shape[-1])
        count, mean = len(samples), samples.mean(axis=0)
        squares = ((samples - mean) ** 2).sum(axis=0)
        y = _batch_normed(x, mean, squares / count, a, tensors)
        kept, new = 1 - float(MOMENTUM), float(MOMENTUM)
        return y, {
            "running_mean": kept * tensors["running_mean"] + new * mean,
            # What is kept is an estimate for all images, so it is unbiased.
            "running_var": kept * tensors["running_var"] + new * squares / (count - 1),
            "num_batches_tracked": tensors["num_batches_tracked"] + 1,
        }


def _batch_normed(
    x: Array, mean: Array, variance: Array, a: Args, tensors: Mapping[str, Array]
) -> Array:
    y: Array = (x - mean) / (variance + a.number("eps")) ** 0.5
    return y * tensors["weight"] + tensors["bias"]
