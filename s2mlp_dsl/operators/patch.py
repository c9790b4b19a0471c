"""patch: the patch-wise fully connected layer."""

from collections.abc import Mapping
from math import gcd

from s2mlp_dsl.ir.shape import Map, Shape, positions
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
    need_map,
)
from s2mlp_dsl.operators.receptive_field import Grid, Part, ReceptiveField


def _sizes(x: Map, size: int) -> str:
    """The map's sides, and the nearest sizes that would do."""
    side = gcd(x.height, x.width)
    fitting = [one for one in range(1, side + 1) if side % one == 0]
    near = sorted(sorted(fitting, key=lambda one: abs(one - size))[:2])
    sides = f"{x.height}" if x.height == x.width else f"{x.height} and {x.width}"
    return f"{sides}, such as {' or '.join(map(str, near))}"


class Patch(Operator):
    name = "patch"
    role = "embed"
    summary = "cuts the map into size × size patches, each through one linear layer"
    formula = "y[i, j] = W · flatten(x[i·p : i·p+p, j·p : j·p+p]) + b"
    initialisation = "weight and bias uniform in ±1/√(size² · channels)"
    paper = "S²-MLP section 3.2; flattened in the order channel, row, column"
    parameters = (
        Parameter("size", "count", "side of a patch; it must divide the map"),
        Parameter("width", "count", "channels that leave"),
    )
    example = "patch(2, 12)"
    example_input = Map(height=6, width=8, channels=3)

    def shape(self, x: Shape | None, a: Args) -> Shape:
        size = a.count("size")
        x = need_map(x)
        for axis, length in (("height", x.height), ("width", x.width)):
            if length % size:
                raise Refusal(
                    codes.PATCHES,
                    f"{axis} {length} = {length // size} · {size} + {length % size}",
                    argument="size",
                    help=f"take a size that divides {_sizes(x, size)}",
                )
        height, width = x.height // size, x.width // size
        channels = a.count("width")
        return Map(time=x.time, height=height, width=width, channels=channels)

    def tensors(self, x: Shape | None, a: Args) -> dict[str, tuple[int, ...]]:
        assert x is not None
        width = a.count("width")
        return {"weight": (width, a.count("size") ** 2 * x.channels), "bias": (width,)}

    def macs(self, x: Shape | None, a: Args) -> int:
        assert x is not None
        return positions(x) * x.channels * a.count("width")

    def receptive_field(self, x: Shape, a: Args) -> ReceptiveField:
        assert isinstance(x, Map)
        size = a.count("size")
        rows, columns = (
            tuple(tuple(range(at, at + size)) for at in range(0, length, size))
            for length in (x.height, x.width)
        )
        grid = Grid(x.frames, x.height, x.width, rows, columns)
        return ReceptiveField(mixes=True, parts=(Part(None, grid),))

    def properties(self, x: Shape | None, a: Args) -> Properties:
        reads: Reads = "position" if a.count("size") == 1 else "neighbours"
        return Properties(True, reads, False, False)

    def construct(self, x: Shape | None, a: Args) -> Construct:
        assert isinstance(x, Map)
        return Construct(
            "Patch" if x.time is None else "FramePatch",
            (),
            (
                ("size", a.count("size")),
                ("channels", x.channels),
                ("width", a.count("width")),
            ),
        )

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        size = a.count("size")
        *batch, height, width, _ = x.shape
        frames = x.reshape(-1, *x.shape[-3:])
        grid = (height // size, width // size)
        patches = np.empty((len(frames), *grid, x.shape[-1] * size**2))
        for i, j in np.ndindex(*grid):
            rows = slice(i * size, (i + 1) * size)
            columns = slice(j * size, (j + 1) * size)
            patch = frames[:, rows, columns].transpose(0, 3, 1, 2)
            patches[:, i, j] = patch.reshape(len(frames), -1)
        flat = patches.reshape(-1, patches.shape[-1])
        y: Array = flat @ tensors["weight"].T + tensors["bias"]
        return y.reshape(*batch, *grid, -1)
