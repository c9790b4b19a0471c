"""fold: a body that works along other axes."""

from s2mlp_dsl.ir.shape import Shape
from s2mlp_dsl.operators import codes
from s2mlp_dsl.operators.base import Args, Parameter, Refusal
from s2mlp_dsl.operators.pattern import PatternError
from s2mlp_dsl.operators.rearrange import fitted
from s2mlp_dsl.operators.region import Region, Step


class Fold(Region):
    """Inside, the axes are those of the pattern's right side, channels last."""

    name = "fold"
    summary = "a body along other axes, which are put back when it is left"
    paper = "MLP-Mixer, Tolstikhin et al. 2021 (mixing of tokens)"
    parameters = (Parameter("pattern", "pattern", "the axes outside -> inside"),)
    example = 'fold("y x c -> c (y x)")'

    def settle(self, x: Shape, a: Args) -> Args:
        return Args({"pattern": str(fitted(x, a))})

    def enter(self, x: Shape, a: Args) -> Step:
        return Step("rearrange", {"pattern": a.enum("pattern")})

    def leave(self, x: Shape, a: Args, after: Shape) -> Step:
        try:
            back = fitted(x, a).back(after.dims)
        except PatternError as error:
            raise Refusal(codes.NOT_RESTORED, str(error), help=error.help) from None
        return Step("rearrange", {"pattern": str(back)})
