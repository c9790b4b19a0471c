"""hardswish: a swish made of straight lines."""

from collections.abc import Mapping

from s2mlp_dsl.operators import Array
from s2mlp_dsl.operators._pointwise import Activation


class Hardswish(Activation):
    name = "hardswish"
    summary = "a swish made of straight lines"
    formula = "y = x · min(max(x + 3, 0), 6) / 6"
    paper = "MobileNetV3, Howard et al. 2019"
    example = "hardswish"
    module = "nn.Hardswish"

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        y: Array = x * (x + 3).clip(0, 6) / 6
        return y
