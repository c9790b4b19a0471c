"""rearrange: the axes of a shape, split and merged in another order."""

from collections.abc import Iterator, Mapping

from s2mlp_dsl.ir.program import Value
from s2mlp_dsl.ir.shape import Map, Shape, positions, shape_of
from s2mlp_dsl.operators import (
    Array,
    Construct,
    FittedPattern,
    Moves,
    Operator,
    PatternArgument,
    Properties,
    ReceptiveField,
    Term,
    parse_pattern,
)


class Rearrange(Operator):
    name = "rearrange"
    summary = "the axes of a shape, split and merged in another order"
    formula = "every entry moves to the place that the pattern gives its indices"
    paper = "einops, Rogozhnikov 2022"
    example = 'rearrange("y x c -> (y x) c")'
    example_input = Map(height=3, width=5, channels=4)

    pattern = PatternArgument("the axes before -> the axes after")

    @property
    def fitted(self) -> FittedPattern:
        return parse_pattern(self.pattern).fit(self.x.dims)

    def shape(self) -> Shape:
        return shape_of(self.fitted.dims)

    def canonical_args(self) -> Mapping[str, Value]:
        return {"pattern": str(self.fitted)}

    def moves(self) -> Moves:
        return self.fitted.moves

    def receptive_field(self) -> ReceptiveField:
        return ReceptiveField(mixes=False, moves=self.moves())

    def properties(self) -> Properties:
        fitted, moves = self.fitted, self.moves()
        if moves.nothing:
            return Properties()
        # Merging neighbours is the same everywhere: the slow part of each axis stays
        # an axis.
        *axes, _ = fitted.pattern.left
        merges = fitted.pattern.right[:-1] == tuple(axis[:1] for axis in axes)
        return Properties(
            "everything" if moves.distinct == positions(self.x) else "neighbours",
            spatial_specific=not merges,
            channel_specific=True,
        )

    def construct(self) -> Construct:
        fitted = self.fitted
        return Construct.of(
            "Rearrange", split=fitted.split, order=fitted.order, merge=fitted.dims
        )

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        fitted = self.fitted
        y: Array = x.reshape(len(x), -1)[:, self.moves().sources()]
        return y.reshape(len(x), *fitted.dims)

    def linear_map(self) -> Iterator[Term]:
        fitted = self.fitted
        for place, source in enumerate(self.moves().sources()):
            target = divmod(place, fitted.dims[-1])
            yield Term(target, divmod(source, self.x.channels), None)
