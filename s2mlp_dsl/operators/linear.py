"""linear: a fully connected layer over the channels."""

from collections.abc import Iterator, Mapping
from itertools import product

from s2mlp_dsl.ir.shape import Map, Shape, positions, with_channels
from s2mlp_dsl.operators import (
    MIXING,
    Array,
    Construct,
    Count,
    Operator,
    Properties,
    ReceptiveField,
    Switch,
    Term,
)


class Linear(Operator):
    name = "linear"
    summary = "a fully connected layer over the channels, the same at every position"
    formula = "y = W · x + b"
    initialisation = "weight and bias uniform in ±1/√(input channels)"
    paper = "S²-MLP equation 2"
    example = "linear(6)"
    example_input = Map(height=3, width=5, channels=4)
    has_matrices = True

    width = Count("output channels")
    bias = Switch("whether b is added", "on")

    def shape(self) -> Shape:
        return with_channels(self.x, self.width)

    def tensors(self) -> dict[str, tuple[int, ...]]:
        bias = {"bias": (self.width,)} if self.bias else {}
        return {"weight": (self.width, self.x.channels), **bias}

    def macs(self) -> int:
        return positions(self.x) * self.x.channels * self.width

    def receptive_field(self) -> ReceptiveField:
        return MIXING

    def properties(self) -> Properties:
        return Properties()

    def accepts_rows(self) -> bool:
        return True

    def construct(self) -> Construct:
        options = {} if self.bias else {"bias": False}
        return Construct.of("nn.Linear", self.x.channels, self.width, **options)

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        # One product of matrices: of four axes NumPy would make one for each row.
        flat = x.reshape(-1, x.shape[-1]) @ tensors["weight"].T
        y: Array = flat.reshape(*x.shape[:-1], -1)
        return y + tensors["bias"] if self.bias else y

    def linear_map(self) -> Iterator[Term]:
        for place, out in product(range(positions(self.x)), range(self.width)):
            for channel in range(self.x.channels):
                yield Term((place, out), (place, channel), (out, channel))
            if self.bias:
                yield Term((place, out), None, (out, -1))
