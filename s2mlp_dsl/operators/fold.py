"""fold: a body that works along other axes."""

from collections.abc import Mapping

from s2mlp_dsl.ir.program import Value
from s2mlp_dsl.ir.shape import Shape
from s2mlp_dsl.operators import (
    FittedPattern,
    PatternArgument,
    Region,
    Step,
    parse_pattern,
)


class Fold(Region):
    """In the body, the axes are those of the pattern's right side, channels last."""

    name = "fold"
    summary = "a body along other axes, which are put back after it"
    paper = "MLP-Mixer, Tolstikhin et al. 2021 (mixing of tokens)"
    example = 'fold("y x c -> c (y x)")'

    pattern = PatternArgument("the axes outside -> inside")

    @property
    def fitted(self) -> FittedPattern:
        return parse_pattern(self.pattern).fit(self.x.dims)

    def canonical_args(self) -> Mapping[str, Value]:
        return {"pattern": str(self.fitted)}

    def enter(self) -> Step:
        return Step("rearrange", {"pattern": self.pattern})

    def leave(self, result: Shape) -> Step:
        return Step("rearrange", {"pattern": str(self.fitted.back(result.dims))})
