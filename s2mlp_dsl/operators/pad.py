"""pad: a body on a map made longer, and the two operators it is made of."""

from collections.abc import Iterator, Mapping
from typing import cast

from s2mlp_dsl.ir.program import Edge, Value
from s2mlp_dsl.ir.shape import Map, Shape
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
    Term,
    need_map,
)
from s2mlp_dsl.operators.edges import inside
from s2mlp_dsl.operators.receptive_field import Part, ReceptiveField
from s2mlp_dsl.operators.region import Region, Step

_AXIS = Parameter("axis", "enum", "rows (y) or columns (x)", choices=("y", "x"))
_EDGE = Parameter(
    "edge",
    "enum",
    "what is added",
    choices=("zeros", "replicate", "circular", "reflect"),
)
# From the end, so that frames before them do not matter.
_PLACES = {"y": -3, "x": -2}


def _length(x: Map, axis: str) -> int:
    return x.height if axis == "y" else x.width


def _with_length(x: Map, axis: str, length: int) -> Map:
    return x.model_copy(update={"height" if axis == "y" else "width": length})


class Pad(Region):
    name = "pad"
    summary = "a body on a map made longer at its end, which is cropped after it"
    paper = "Hire-MLP, Guo et al. 2021"
    parameters = (
        _AXIS,
        Parameter("multiple", "count", "what the length becomes a multiple of"),
        _EDGE,
    )
    example = "pad(y, multiple = 4, edge = zeros)"

    def enter(self, x: Shape, a: Args) -> Step:
        x = need_map(x)
        missing = -_length(x, a.enum("axis")) % a.count("multiple")
        edge = a.enum("edge")
        args: dict[str, Value] = {"axis": a.enum("axis"), "count": missing}
        return Step("extend", {**args, "edge": edge})

    def leave(self, x: Shape, a: Args, after: Shape) -> Step:
        axis = a.enum("axis")
        assert isinstance(x, Map)
        length = _length(x, axis)
        longer = length + -length % a.count("multiple")
        if not isinstance(after, Map) or _length(after, axis) != longer:
            raise Refusal(
                codes.NOT_RESTORED,
                f"{after} leaves, and cannot be cropped",
                help=f"keep the {longer} {'rows' if axis == 'y' else 'columns'} inside",
            )
        return Step("crop", {"axis": axis, "length": length})


class Extend(Operator):
    name = "extend"
    summary = "adds rows or columns at the end of a map"
    formula = "y[i] = x[i] inside; beyond the end, what the edge rule reads there"
    paper = "the edge rules of the shift"
    parameters = (
        _AXIS,
        Parameter("count", "count", "how many are added", least=0),
        _EDGE,
    )
    example = "extend(y, 2, zeros)"
    example_input = Map(height=3, width=5, channels=4)

    def shape(self, x: Shape | None, a: Args) -> Shape:
        x = need_map(x)
        axis = a.enum("axis")
        return _with_length(x, axis, _length(x, axis) + a.count("count"))

    def receptive_field(self, x: Shape, a: Args) -> ReceptiveField:
        assert isinstance(x, Map)
        table = tuple(() if one is None else (one,) for one in _sources(x, a))
        return ReceptiveField(mixes=False, parts=(Part(None, table),))

    def properties(self, x: Shape | None, a: Args) -> Properties:
        reads: Reads = "neighbours" if a.count("count") else "position"
        return Properties(False, reads, False, False)

    def construct(self, x: Shape | None, a: Args) -> Construct:
        place = _PLACES[a.enum("axis")]
        return Construct("Extend", (place, a.count("count"), a.enum("edge")))

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        import numpy as np

        modes = {"zeros": "constant", "replicate": "edge"}
        width = [(0, 0)] * x.ndim
        width[_PLACES[a.enum("axis")]] = (0, a.count("count"))
        edge = a.enum("edge")
        y: Array = np.pad(x, width, mode=modes.get(edge, edge))  # type: ignore[call-overload]
        return y

    def linear_map(self, x: Shape, a: Args) -> Iterator[Term]:
        assert isinstance(x, Map)
        for place, source in enumerate(_sources(x, a)):
            if source is not None:
                for channel in range(x.channels):
                    yield Term((place, channel), (source, channel), None)


class Crop(Operator):
    name = "crop"
    summary = "keeps the first rows or columns of a map"
    formula = "y[i] = x[i] for i < length"
    paper = "what `pad` ends with"
    parameters = (_AXIS, Parameter("length", "count", "how many are kept"))
    example = "crop(y, 2)"
    example_input = Map(height=3, width=5, channels=4)

    def shape(self, x: Shape | None, a: Args) -> Shape:
        x = need_map(x)
        axis, length = a.enum("axis"), a.count("length")
        if length > _length(x, axis):
            raise Refusal(
                codes.NOT_RESTORED,
                f"the map is {x}",
                argument="length",
                help=f"keep at most {_length(x, axis)}",
            )
        return _with_length(x, axis, length)

    def receptive_field(self, x: Shape, a: Args) -> ReceptiveField:
        assert isinstance(x, Map)
        table = tuple((one,) for one in _kept(x, a))
        return ReceptiveField(mixes=False, parts=(Part(None, table),))

    def properties(self, x: Shape | None, a: Args) -> Properties:
        return Properties(False, "position", False, False)

    def construct(self, x: Shape | None, a: Args) -> Construct:
        return Construct("Crop", (_PLACES[a.enum("axis")], a.count("length")))

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        length = a.count("length")
        rows = a.enum("axis") == "y"
        y: Array = x[..., :length, :, :] if rows else x[..., :length, :]
        return y

    def linear_map(self, x: Shape, a: Args) -> Iterator[Term]:
        assert isinstance(x, Map)
        for place, source in enumerate(_kept(x, a)):
            for channel in range(x.channels):
                yield Term((place, channel), (source, channel), None)


def _sources(x: Map, a: Args) -> list[int | None]:
    """For each position of the longer map, the position it reads."""
    axis, edge = a.enum("axis"), cast(Edge, a.enum("edge"))
    length = _length(x, axis)
    read = [inside(at, length, edge) for at in range(length + a.count("count"))]
    rows = read if axis == "y" else list(range(x.height))
    columns = read if axis == "x" else list(range(x.width))
    return [
        (f * x.height + row) * x.width + column
        if row is not None and column is not None
        else None
        for f in range(x.frames)
        for row in rows
        for column in columns
    ]


def _kept(x: Map, a: Args) -> list[int]:
    rows = a.count("length") if a.enum("axis") == "y" else x.height
    columns = a.count("length") if a.enum("axis") == "x" else x.width
    return [
        (f * x.height + row) * x.width + column
        for f in range(x.frames)
        for row in range(rows)
        for column in range(columns)
    ]
