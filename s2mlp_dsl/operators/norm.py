"""norm: keeps activations in a bounded range. Five operators behind one name.

`norm(layer)` and the others share their arguments; the kinds are defined one after the
other.
"""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import ClassVar, Self

from s2mlp_dsl.diagnostics.catalogue import shapes
from s2mlp_dsl.ir.program import Value
from s2mlp_dsl.ir.shape import Map, Shape, positions, positions_in_frame
from s2mlp_dsl.operators import (
    MIXING,
    POINTWISE,
    Array,
    Buffer,
    Construct,
    Count,
    Enum,
    Number,
    Part,
    Properties,
    ReceptiveField,
    Refusal,
    within_frames,
)
from s2mlp_dsl.operators._division import divided
from s2mlp_dsl.operators._pointwise import Pointwise

EPS = Fraction(1, 100_000)
MOMENTUM = 0.1  # of the batch in the running statistics


class Norm(Pointwise):
    """What the kinds share: w, and b except in `rms`."""

    name = "norm"
    summary = "normalises by statistics of its kind, or only rescales (affine)"
    formula = (
        "layer, batch, group: y = w · (x − mean) / √(var + eps) + b, mean and biased "
        "variance over the channels (layer), over batch and positions (batch; in "
        "evaluation the running ones, updated by a tenth of each batch's mean and "
        "unbiased variance), or over positions and the channels of a group "
        "(group; the frames of a clip separately); "
        "rms: y = w · x / √(mean of x² over the channels + eps); affine: y = w · x + b"
    )
    initialisation = "w = 1, b = 0; running mean 0, running variance 1, momentum 0.1"
    paper = (
        "Ba et al. 2016 (layer); Ioffe and Szegedy 2015 (batch); Wu and He 2018 "
        "(group); Zhang and Sennrich 2019 (rms); ResMLP, Touvron et al. 2021 (affine)"
    )
    example = "norm(layer)"
    module: ClassVar[str]

    kind = Enum("which norm", choices=("layer", "affine", "batch", "group", "rms"))
    eps = Number("added to the variance (not affine)", EPS)
    groups = Count("groups of channels (group only)", 1)

    @classmethod
    def variant(cls, args: Mapping[str, Value]) -> type[Self]:
        return _KINDS[args["kind"]]  # type: ignore[return-value]

    def shape(self) -> Shape:
        if self.eps <= 0:
            raise Refusal(shapes.EPS_NOT_POSITIVE, argument="eps")
        self.check_groups()
        return self.x

    def check_groups(self) -> None:
        """Only `group` has groups, and only it keeps them as an argument."""
        if self.groups != 1:
            raise Refusal(
                shapes.NORM_WITHOUT_GROUPS,
                argument="groups",
                norm=self.kind,
                groups=self.groups,
            )

    def canonical_args(self) -> Mapping[str, Value]:
        return self.args_with(groups=None)

    def tensors(self) -> dict[str, tuple[int, ...]]:
        return {"weight": (self.x.channels,), "bias": (self.x.channels,)}

    @property
    def options(self) -> dict[str, float]:
        return {} if self.eps == float(EPS) else {"eps": self.eps}

    def construct(self) -> Construct:
        return Construct.of(self.module, self.x.channels, **self.options)

    def normalise(self, x: Array, axes: tuple[int, ...]) -> Array:
        """Mean 0 and variance 1 along some axes."""
        centred = x - x.mean(axes, keepdims=True)
        variance = (centred**2).mean(axes, keepdims=True)
        y: Array = centred / (variance + self.eps) ** 0.5
        return y


class LayerNorm(Norm):
    module = "nn.LayerNorm"

    def receptive_field(self) -> ReceptiveField:
        if self.x.channels == 1:
            nothing = ((),) * positions(self.x)  # x − mean is 0: only the bias is left
            return ReceptiveField(mixes=True, parts=(Part(None, nothing),))
        return MIXING

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        return self.normalise(x, (-1,)) * tensors["weight"] + tensors["bias"]


class RMSNorm(Norm):
    def tensors(self) -> dict[str, tuple[int, ...]]:
        return {"weight": (self.x.channels,)}

    def receptive_field(self) -> ReceptiveField:
        return MIXING

    def construct(self) -> Construct:
        # PyTorch's default is another eps.
        return Construct.of("nn.RMSNorm", self.x.channels, eps=self.eps)

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        mean_square = (x**2).mean(axis=-1, keepdims=True)
        y: Array = x / (mean_square + self.eps) ** 0.5 * tensors["weight"]
        return y


class BatchNorm(Norm):
    module = "BatchNorm"

    def buffers(self) -> dict[str, Buffer]:
        return {
            "running_mean": Buffer((self.x.channels,), "any"),
            "running_var": Buffer((self.x.channels,), "positive"),
            "num_batches_tracked": Buffer((), "count"),
        }

    def receptive_field(self) -> ReceptiveField:
        return POINTWISE

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        deviation = (tensors["running_var"] + self.eps) ** 0.5
        y: Array = (x - tensors["running_mean"]) / deviation
        return y * tensors["weight"] + tensors["bias"]

    def reference_in_training(
        self, x: Array, tensors: Mapping[str, Array]
    ) -> tuple[Array, dict[str, Array]]:
        axes = tuple(range(x.ndim - 1))
        y = self.normalise(x, axes) * tensors["weight"] + tensors["bias"]
        # The variance estimates that of all images, so it is unbiased.
        statistics = {"running_mean": x.mean(axes), "running_var": x.var(axes, ddof=1)}
        changed = {
            name: (1 - MOMENTUM) * tensors[name] + MOMENTUM * value
            for name, value in statistics.items()
        }
        batches = tensors["num_batches_tracked"] + 1
        return y, {**changed, "num_batches_tracked": batches}


class GroupNorm(Norm):
    def check_groups(self) -> None:
        if self.x.channels % self.groups:
            fields = divided(self.x.channels, self.groups)
            raise Refusal(shapes.NORM_GROUPS_DIVIDE, argument="groups", **fields)
        if positions_in_frame(self.x) * self.x.channels == self.groups:
            raise Refusal(shapes.NORM_OF_ONE_NUMBER, argument="groups")

    def canonical_args(self) -> Mapping[str, Value]:
        return self.args

    def receptive_field(self) -> ReceptiveField:
        return replace(within_frames(self.x, self.groups), content=POINTWISE)

    def properties(self) -> Properties:
        return Properties("everything", channel_specific=True)

    def accepts_rows(self) -> bool:
        return False

    def construct(self) -> Construct:
        callee = self.for_frames("GroupNorm")
        return Construct.of(callee, self.groups, self.x.channels, **self.options)

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        frames = self.x.frames if isinstance(self.x, Map) else 1
        # [batch · frames, positions, groups, channels of a group]
        grouped = x.reshape(
            len(x) * frames, -1, self.groups, x.shape[-1] // self.groups
        )
        y = self.normalise(grouped, (1, 3)).reshape(x.shape)
        return y * tensors["weight"] + tensors["bias"]


class Affine(Norm):
    module = "Affine"

    def shape(self) -> Shape:
        if self.args["eps"] != EPS:
            raise Refusal(shapes.EPS_WITHOUT_VARIANCE, argument="eps")
        return super().shape()

    def receptive_field(self) -> ReceptiveField:
        return POINTWISE

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        y: Array = x * tensors["weight"] + tensors["bias"]
        return y


_KINDS: dict[Value, type[Norm]] = {
    "layer": LayerNorm,
    "affine": Affine,
    "batch": BatchNorm,
    "group": GroupNorm,
    "rms": RMSNorm,
}
