"""pool: all positions become one vector, or each window one position."""

from collections.abc import Mapping

from s2mlp_dsl.ir.shape import Map, Shape, Tokens, Vector, positions
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
from s2mlp_dsl.operators.receptive_field import Part, ReceptiveField
from s2mlp_dsl.operators.window import Windows

_ALL = "all"  # not counts: what stands for a size and a stride that are not said
_SIZE = "size"


class Pool(Operator):
    name = "pool"
    summary = "the mean or the maximum over all positions or over each window"
    formula = (
        "y[c] = mean or max over p of x[p, c]; with a size, y[q, c] the same over the "
        "positions inside the map of the window that begins at stride · q − pad"
    )
    paper = "S²-MLP section 3.2 (mean over all); ResNet, He et al. 2016 (windows)"
    parameters = (
        Parameter("kind", "enum", "which one", choices=("mean", "max")),
        Parameter("size", "count", "side of a window; all positions without", _ALL),
        Parameter(
            "stride", "count", "from one window to the next; size without", _SIZE
        ),
        Parameter(
            "pad", "count", "positions added on each side, not counted", 0, (), 0
        ),
    )
    example = "pool(mean)"
    example_input = Map(height=3, width=5, channels=4)

    def shape(self, x: Shape | None, a: Args) -> Shape:
        windows = _windows(a)
        if windows is None:
            if a.values.get("stride", _SIZE) != _SIZE or a.values.get("pad", 0) != 0:
                raise Refusal(
                    codes.WINDOW,
                    "without a size there are no windows",
                    help="write `pool(max, size = 3, stride = 2, pad = 1)`, say",
                )
            if not isinstance(x, Map | Tokens):
                raise Refusal(
                    codes.NOT_A_MAP,
                    f"a vector of {x} channels enters",
                    help="the map is pooled already: remove this statement",
                )
            return Vector(channels=x.channels)
        x = need_map(x)
        if 2 * windows.pad > windows.size:
            raise Refusal(
                codes.WINDOW,
                f"{windows.pad} is more than half of {windows.size}",
                argument="pad",
                help="a window must not lie outside the map",
            )
        return windows.shape(x, x.channels)

    def settle(self, x: Shape | None, a: Args) -> Args:
        windows = _windows(a)
        if windows is None:
            return Args({"kind": a.enum("kind")})
        return Args({**a.values, "stride": windows.stride})

    def dropped(self, x: Shape | None, a: Args) -> tuple[int, int]:
        windows = _windows(a)
        return windows.dropped(x) if windows and isinstance(x, Map) else (0, 0)

    def receptive_field(self, x: Shape, a: Args) -> ReceptiveField:
        windows = _windows(a)
        if windows is None:
            everywhere = (tuple(range(positions(x))),)
            return ReceptiveField(mixes=False, parts=(Part(None, everywhere),))
        assert isinstance(x, Map)
        return ReceptiveField(mixes=False, parts=(Part(None, windows.grid(x)),))

    def properties(self, x: Shape | None, a: Args) -> Properties:
        windows = _windows(a)
        reads: Reads = "everything"
        if windows is not None:
            reads = "position" if windows.size == 1 else "neighbours"
        return Properties(False, reads, False, False)

    def construct(self, x: Shape | None, a: Args) -> Construct:
        kind = "Mean" if a.enum("kind") == "mean" else "Max"
        windows = _windows(a)
        if windows is None:
            return Construct(f"{kind}Pool")
        sizes = (windows.size, windows.stride, windows.pad)
        named = tuple(zip(("size", "stride", "padding"), sizes, strict=True))
        return Construct(f"{kind}Windows", (), named)

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        mean, windows = a.enum("kind") == "mean", _windows(a)
        if windows is None:
            places = tuple(range(1, x.ndim - 1))
            pooled: Array = x.mean(places) if mean else x.max(places)
            return pooled
        size, flat = windows.on(x)
        seen = [flat[:, [one for _, one in reads]] for reads in windows.reads(size)]
        y = np.stack([one.mean(1) if mean else one.max(1) for one in seen], axis=1)
        return windows.back(x, y)


def _windows(a: Args) -> Windows | None:
    """The windows, None where one takes in all positions."""
    if a.values.get("size", _ALL) == _ALL:
        return None
    size = a.count("size")
    stride = size if a.values["stride"] == _SIZE else a.count("stride")
    return Windows(size, stride, a.count("pad"), "zeros")
