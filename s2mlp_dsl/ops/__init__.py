"""The operators, by name. One file each; see `base.py` for the contract."""

from s2mlp_dsl.ops.base import Args, Construct, Operator, Parameter, Refusal
from s2mlp_dsl.ops.depthwise import Depthwise
from s2mlp_dsl.ops.gelu import Gelu
from s2mlp_dsl.ops.image import Image
from s2mlp_dsl.ops.linear import Linear
from s2mlp_dsl.ops.norm import Norm
from s2mlp_dsl.ops.patch import Patch
from s2mlp_dsl.ops.pool import Pool
from s2mlp_dsl.ops.shift import Shift

OPERATORS: dict[str, Operator] = {
    operator.name: operator
    for operator in (
        Image(),
        Patch(),
        Linear(),
        Norm(),
        Gelu(),
        Shift(),
        Depthwise(),
        Pool(),
    )
}

# Parameters of each operator with their defaults, as the IR's printer needs them.
SIGNATURES = {
    operator.name: {one.name: one.default for one in operator.parameters}
    for operator in OPERATORS.values()
}

__all__ = [
    "OPERATORS",
    "SIGNATURES",
    "Args",
    "Construct",
    "Operator",
    "Parameter",
    "Refusal",
]
