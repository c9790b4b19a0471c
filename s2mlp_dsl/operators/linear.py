"""linear: a fully connected layer over the channels."""

from collections.abc import Iterator, Mapping
from itertools import product

from s2mlp_dsl.ir.shape import Map, Shape, positions, with_channels
from s2mlp_dsl.operators.base import (
    Args,
    Array,
    Construct,
    Operator,
    Parameter,
    Properties,
    Term,
)
from s2mlp_dsl.operators.receptive_field import MIXING, ReceptiveField


class Linear(Operator):
    name = "linear"
    summary = "a fully connected layer over the channels, the same at every position"
    formula = "y = W · x + b"
    initialisation = "weight and bias uniform in ±1/√(channels that enter)"
    paper = "S²-MLP equation 2"
    parameters = (
        Parameter("width", "count", "channels that leave"),
        Parameter("bias", "enum", "whether b is there", "on", ("on", "off")),
    )
    example = "linear(6)"
    example_input = Map(height=3, width=5, channels=4)

    def shape(self, x: Shape | None, a: Args) -> Shape:
        assert x is not None
        return with_channels(x, a.count("width"))

    def tensors(self, x: Shape | None, a: Args) -> dict[str, tuple[int, ...]]:
        assert x is not None
        width = a.count("width")
        bias = {} if a.enum("bias") == "off" else {"bias": (width,)}
        return {"weight": (width, x.channels), **bias}

    def macs(self, x: Shape | None, a: Args) -> int:
        assert x is not None
        return positions(x) * x.channels * a.count("width")

    def receptive_field(self, x: Shape, a: Args) -> ReceptiveField:
        return MIXING

    def properties(self, x: Shape | None, a: Args) -> Properties:
        return Properties(True, "position", False, False)

    def rowwise(self, x: Shape | None, a: Args) -> bool:
        return True

    def construct(self, x: Shape | None, a: Args) -> Construct:
        assert x is not None
        off = (("bias", False),) if a.enum("bias") == "off" else ()
        return Construct("nn.Linear", (x.channels, a.count("width")), off)

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        # One product of matrices: of four axes NumPy would make one for each row.
        flat = x.reshape(-1, x.shape[-1]) @ tensors["weight"].T
        y: Array = flat.reshape(*x.shape[:-1], -1)
        return y + tensors["bias"] if "bias" in tensors else y

    def linear_map(self, x: Shape, a: Args) -> Iterator[Term]:
        width = a.count("width")
        for place, out in product(range(positions(x)), range(width)):
            for channel in range(x.channels):
                yield Term((place, out), (place, channel), (out, channel))
            if a.enum("bias") == "on":
                yield Term((place, out), None, (out, -1))
