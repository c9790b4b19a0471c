"""pool: all positions become one vector, or each window becomes one position."""

from collections.abc import Mapping
from typing import Self

from s2mlp_dsl.diagnostics.catalogue import shapes
from s2mlp_dsl.ir.program import Value
from s2mlp_dsl.ir.shape import Map, Shape, Vector, positions
from s2mlp_dsl.operators import (
    Array,
    Construct,
    Count,
    Enum,
    Operator,
    OptionalCount,
    Part,
    Properties,
    ReceptiveField,
    Refusal,
    Windows,
)


class Pool(Operator):
    """Over all positions, unless there is a `size`."""

    name = "pool"
    summary = "the mean or the maximum over all positions or over each window"
    formula = (
        "y[c] = mean or max over p of x[p, c]; with a size, y[q, c] the same over the "
        "positions inside the map of the window that begins at stride · q − pad"
    )
    paper = "S²-MLP section 3.2 (mean over all); ResNet, He et al. 2016 (windows)"
    example = "pool(mean)"
    example_input = Map(height=3, width=5, channels=4)

    kind = Enum("mean or maximum", choices=("mean", "max"))
    size = OptionalCount("side of a window; all positions by default")
    stride = OptionalCount("positions from one window to the next; size by default")
    pad = Count("positions added on each side, which do not count", 0, least=0)

    @classmethod
    def variant(cls, args: Mapping[str, Value]) -> type[Self]:
        return WindowPool if "size" in args else cls  # type: ignore[return-value]

    def shape(self) -> Shape:
        if self.stride is not None or self.pad != 0:
            raise Refusal(shapes.NO_WINDOWS)
        if self.x.kind == "vector":
            raise Refusal(shapes.ALREADY_POOLED, channels=self.x.channels)
        return Vector(channels=self.x.channels)

    def canonical_args(self) -> Mapping[str, Value]:
        return self.args_with(pad=None)

    def receptive_field(self) -> ReceptiveField:
        everywhere = (tuple(range(positions(self.x))),)
        return ReceptiveField(mixes=False, parts=(Part(None, everywhere),))

    def properties(self) -> Properties:
        return Properties("everything")

    def construct(self) -> Construct:
        return Construct(f"{self.kind.capitalize()}Pool")

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        return self.pooled(x.reshape(len(x), -1, x.shape[-1]))

    def pooled(self, x: Array) -> Array:
        """[batch, positions, channels] to [batch, channels]."""
        y: Array = x.mean(1) if self.kind == "mean" else x.max(1)
        return y


class WindowPool(Pool):
    @property
    def windows(self) -> Windows:
        assert self.size is not None
        return Windows(self.map, self.size, self.stride or self.size, self.pad)

    def shape(self) -> Shape:
        windows = self.windows
        if 2 * windows.pad > windows.size:
            raise Refusal(
                shapes.PAD_TOO_LARGE, argument="pad", pad=self.pad, size=self.size
            )
        return windows.result(self.x.channels)

    def canonical_args(self) -> Mapping[str, Value]:
        return self.args_with(stride=self.windows.stride)

    def unread(self) -> tuple[int, int]:
        return self.windows.unread()

    def receptive_field(self) -> ReceptiveField:
        return ReceptiveField(mixes=False, parts=(Part(None, self.windows.grid()),))

    def properties(self) -> Properties:
        return Properties("position" if self.size == 1 else "neighbours")

    def construct(self) -> Construct:
        return Construct.of(
            self.for_frames(f"{self.kind.capitalize()}Windows"),
            kernel_size=self.windows.size,
            stride=self.windows.stride,
            padding=self.pad,
        )

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        flat = x.reshape(len(x), -1, x.shape[-1])
        read = ([source for _, source in reads] for reads in self.windows.reads())
        y = np.stack([self.pooled(flat[:, window]) for window in read], axis=1)
        return y.reshape(len(x), *self.shape().dims)
