"""pad: a body on a map made longer at its end, and cropped afterwards."""

from s2mlp_dsl.diagnostics.catalogue import shapes
from s2mlp_dsl.ir.shape import Map, Shape
from s2mlp_dsl.operators import PADDING_MODES, Count, Enum, Refusal, Region, Step
from s2mlp_dsl.operators._axis import axis_argument, side


class Pad(Region):
    name = "pad"
    summary = "a body on a map made longer at its end, which is cropped after it"
    paper = "Hire-MLP, Guo et al. 2021"
    example = "pad(y, multiple = 4, edge = zeros)"

    axis = axis_argument()
    multiple = Count("the length becomes a multiple of this")
    edge = Enum("what is added", choices=PADDING_MODES)

    def enter(self) -> Step:
        missing = -self.length_of(self.map) % self.multiple
        return Step("extend", {"axis": self.axis, "count": missing, "edge": self.edge})

    def leave(self, result: Shape) -> Step:
        length = self.length_of(self.map)
        longer = length + -length % self.multiple
        if not isinstance(result, Map) or self.length_of(result) != longer:
            lines = "rows" if self.axis == "y" else "columns"
            raise Refusal(
                shapes.NOT_CROPPABLE, shape=result, length=longer, lines=lines
            )
        return Step("crop", {"axis": self.axis, "length": length})

    def length_of(self, x: Map) -> int:
        length: int = getattr(x, side(self.axis))
        return length
