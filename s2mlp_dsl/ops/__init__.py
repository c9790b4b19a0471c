"""The operators, by name. One file each; see `base.py` for the contract."""

from s2mlp_dsl.ir.program import Value
from s2mlp_dsl.ops.activations import Hardswish, Relu, Sigmoid, Silu, Tanh
from s2mlp_dsl.ops.attention import Attention
from s2mlp_dsl.ops.base import (
    Args,
    Buffer,
    Construct,
    Operator,
    Parameter,
    Refusal,
)
from s2mlp_dsl.ops.conv import Conv
from s2mlp_dsl.ops.depthwise import Depthwise
from s2mlp_dsl.ops.fold import Fold
from s2mlp_dsl.ops.fuse import Concat, Mean, Multiply, Sum
from s2mlp_dsl.ops.gelu import Gelu
from s2mlp_dsl.ops.image import Image
from s2mlp_dsl.ops.linear import Linear
from s2mlp_dsl.ops.norm import Norm
from s2mlp_dsl.ops.pad import Crop, Extend, Pad
from s2mlp_dsl.ops.patch import Patch
from s2mlp_dsl.ops.pool import Pool
from s2mlp_dsl.ops.position import Position
from s2mlp_dsl.ops.rearrange import Rearrange
from s2mlp_dsl.ops.scale import Scale
from s2mlp_dsl.ops.scope import Scope
from s2mlp_dsl.ops.shift import Shift
from s2mlp_dsl.ops.split_attention import SplitAttention
from s2mlp_dsl.ops.tokens import ClassToken, Take
from s2mlp_dsl.ops.video import Video

OPERATORS: dict[str, Operator] = {
    operator.name: operator
    for operator in (
        Image(),
        Video(),
        Patch(),
        Linear(),
        Norm(),
        Gelu(),
        Relu(),
        Silu(),
        Hardswish(),
        Sigmoid(),
        Tanh(),
        Scale(),
        Shift(),
        Conv(),
        Depthwise(),
        Pool(),
        Attention(),
        Position(),
        ClassToken(),
        Take(),
        Rearrange(),
        Extend(),
        Crop(),
        Sum(),
        Mean(),
        Multiply(),
        Concat(),
        SplitAttention(),
    )
}

# Statements with a body, made of two operators around it.
SCOPES: dict[str, Scope] = {scope.name: scope for scope in (Fold(), Pad())}

_SHEETS: list[Operator | Scope] = [*OPERATORS.values(), *SCOPES.values()]

# Parameters of each operator and scope with their defaults, as the IR's printer
# needs them. What is implied is not written.
SIGNATURES: dict[str, dict[str, Value | None]] = {
    one.name: {
        parameter.name: parameter.default
        for parameter in one.parameters
        if not parameter.implied
    }
    for one in _SHEETS
}

__all__ = [
    "OPERATORS",
    "SCOPES",
    "SIGNATURES",
    "Args",
    "Buffer",
    "Construct",
    "Operator",
    "Parameter",
    "Refusal",
    "Scope",
]
