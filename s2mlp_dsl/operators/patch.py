"""patch: the patch-wise fully connected layer."""

from collections.abc import Mapping
from math import gcd

from s2mlp_dsl.diagnostics.catalogue import shapes
from s2mlp_dsl.ir.shape import Map, Shape, positions
from s2mlp_dsl.operators import (
    Array,
    Construct,
    Count,
    Operator,
    Part,
    Properties,
    ReceptiveField,
    Refusal,
    Windows,
)
from s2mlp_dsl.operators._division import divided, nearest_divisors


class Patch(Operator):
    name = "patch"
    role = "embed"
    summary = "splits the map into size × size patches, each through one linear layer"
    formula = "y[i, j] = W · flatten(x[i·p : i·p+p, j·p : j·p+p]) + b"
    initialisation = "weight and bias uniform in ±1/√(size² · channels)"
    paper = "S²-MLP section 3.2; flattened in the order channel, row, column"
    example = "patch(2, 12)"
    example_input = Map(height=6, width=8, channels=3)
    has_matrices = True

    size = Count("side of a patch; it must divide the map")
    width = Count("output channels")

    def shape(self) -> Shape:
        height, width = self.map.height, self.map.width
        for axis, length in (("height", height), ("width", width)):
            if length % self.size:
                raise Refusal(
                    shapes.PATCHES_DIVIDE,
                    argument="size",
                    axis=axis,
                    sides=f"{height}" if height == width else f"{height} and {width}",
                    near=nearest_divisors(gcd(height, width), self.size),
                    **divided(length, self.size),
                )
        return Windows(self.map, self.size, self.size, 0).result(self.width)

    def tensors(self) -> dict[str, tuple[int, ...]]:
        size = self.size**2 * self.x.channels
        return {"weight": (self.width, size), "bias": (self.width,)}

    def macs(self) -> int:
        return positions(self.x) * self.x.channels * self.width

    def receptive_field(self) -> ReceptiveField:
        grid = Windows(self.map, self.size, self.size, 0).grid()
        return ReceptiveField(mixes=True, parts=(Part(None, grid),))

    def properties(self) -> Properties:
        return Properties("position" if self.size == 1 else "neighbours")

    def construct(self) -> Construct:
        return Construct.of(
            self.for_frames("Patch"),
            patch_size=self.size,
            in_channels=self.x.channels,
            out_channels=self.width,
        )

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        *batch, height, width, channels = x.shape
        size, rows, columns = self.size, height // self.size, width // self.size
        frames = x.reshape(-1, height, width, channels)
        patches = np.empty((len(frames), rows, columns, channels * size**2))
        for i, j in np.ndindex(rows, columns):
            across = slice(j * size, (j + 1) * size)
            patch = frames[:, i * size : (i + 1) * size, across].transpose(0, 3, 1, 2)
            patches[:, i, j] = patch.reshape(len(frames), -1)
        flat = patches.reshape(-1, channels * size**2)
        y: Array = flat @ tensors["weight"].T + tensors["bias"]
        return y.reshape(*batch, rows, columns, -1)
