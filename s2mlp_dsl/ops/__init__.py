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

__all__ = ["OPERATORS", "Args", "Construct", "Operator", "Parameter", "Refusal"]
