"""rearrange: the axes of a shape, taken apart and put together in another order."""

from collections.abc import Iterator, Mapping
from math import prod

from s2mlp_dsl.ir.shape import Map, Shape, positions, shape_of
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
)
from s2mlp_dsl.operators.pattern import Fitted, PatternError, parse_pattern
from s2mlp_dsl.operators.receptive_field import ReceptiveField


class Rearrange(Operator):
    name = "rearrange"
    summary = "the axes of a shape, taken apart and put together in another order"
    formula = "every entry moves to the place that the pattern gives its indices"
    paper = "einops, Rogozhnikov 2022"
    parameters = (Parameter("pattern", "pattern", "the axes before -> the axes after"),)
    example = 'rearrange("y x c -> (y x) c")'
    example_input = Map(height=3, width=5, channels=4)

    def shape(self, x: Shape | None, a: Args) -> Shape:
        assert x is not None
        return shape_of(fitted(x, a).dims)

    def settle(self, x: Shape | None, a: Args) -> Args:
        assert x is not None
        return Args({"pattern": str(fitted(x, a))})

    def receptive_field(self, x: Shape, a: Args) -> ReceptiveField:
        return ReceptiveField(mixes=False, moves=fitted(x, a).sources)

    def properties(self, x: Shape | None, a: Args) -> Properties:
        assert x is not None
        fit = fitted(x, a)
        stays = list(fit.sources()) == list(range(prod(x.dims)))
        held = {one // x.channels for one in fit.sources()[: fit.dims[-1]]}
        reads: Reads = "everything" if len(held) == positions(x) else "neighbours"
        # Merging what lies together is the same everywhere: the slow part of each
        # axis stays an axis.
        *axes, _ = fit.pattern.left
        merges = fit.pattern.right[:-1] == tuple(axis[:1] for axis in axes)
        return Properties(
            False, "position" if stays else reads, not (stays or merges), not stays
        )

    def construct(self, x: Shape | None, a: Args) -> Construct:
        assert x is not None
        fit = fitted(x, a)
        keywords = (("split", fit.split), ("order", fit.order), ("merge", fit.dims))
        return Construct("Rearrange", (), keywords)

    def reference(self, x: Array, a: Args, tensors: Mapping[str, Array]) -> Array:
        fit = parse_pattern(a.enum("pattern")).fit(x.shape[1:])
        y: Array = x.reshape(len(x), -1)[:, fit.sources()]
        return y.reshape(len(x), *fit.dims)

    def linear_map(self, x: Shape, a: Args) -> Iterator[Term]:
        fit = fitted(x, a)
        for place, source in enumerate(fit.sources()):
            yield Term(divmod(place, fit.dims[-1]), divmod(source, x.channels), None)


def fitted(x: Shape, a: Args) -> Fitted:
    """The pattern on what enters. Raises `Refusal`."""
    try:
        return parse_pattern(a.enum("pattern")).fit(x.dims)
    except PatternError as error:
        raise Refusal(
            codes.PATTERN, str(error), argument="pattern", help=error.help
        ) from None
