"""The operators, by name. One file each; see `base.py` for the contract."""

from s2mlp_dsl.ir.program import Op, Value
from s2mlp_dsl.operators.activations import Hardswish, Relu, Sigmoid, Silu, Tanh
from s2mlp_dsl.operators.applied import Applied
from s2mlp_dsl.operators.attention import Attention
from s2mlp_dsl.operators.base import (
    Args,
    Buffer,
    Construct,
    Operator,
    Parameter,
    Refusal,
)
from s2mlp_dsl.operators.conv import Conv
from s2mlp_dsl.operators.depthwise import Depthwise
from s2mlp_dsl.operators.fold import Fold
from s2mlp_dsl.operators.gelu import Gelu
from s2mlp_dsl.operators.image import Image
from s2mlp_dsl.operators.linear import Linear
from s2mlp_dsl.operators.merge import Concat, Mean, Multiply, Sum
from s2mlp_dsl.operators.norm import Norm
from s2mlp_dsl.operators.pad import Crop, Extend, Pad
from s2mlp_dsl.operators.patch import Patch
from s2mlp_dsl.operators.plugins import (
    OURS,
    PluginError,
    RegistrationError,
    hold_once,
    load,
    offered,
)
from s2mlp_dsl.operators.pool import Pool
from s2mlp_dsl.operators.position import Position
from s2mlp_dsl.operators.rearrange import Rearrange
from s2mlp_dsl.operators.region import Region
from s2mlp_dsl.operators.scale import Scale
from s2mlp_dsl.operators.shift import Shift
from s2mlp_dsl.operators.split_attention import SplitAttention
from s2mlp_dsl.operators.tokens import ClassToken, Take
from s2mlp_dsl.operators.video import Video

# The built-in ones, and those of plug-ins that were asked for so far; see `find`.
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
REGIONS: dict[str, Region] = {region.name: region for region in (Fold(), Pad())}

BUILT_IN = frozenset(OPERATORS)


def _signature(sheet: Operator | Region) -> dict[str, Value | None]:
    return {one.name: one.default for one in sheet.parameters if not one.implied}


# Parameters of each operator and scope with their defaults, as the IR's printer
# needs them. What is implied is not written.
SIGNATURES: dict[str, dict[str, Value | None]] = {
    **{name: _signature(one) for name, one in OPERATORS.items()},
    **{name: _signature(one) for name, one in REGIONS.items()},
}


def find(name: str) -> Operator | None:
    """The operator of a name, a plug-in's too. None where there is none.

    Raises `RegistrationError` where a package registers it and cannot give it, or where
    two have one of this name.
    """
    entries = offered().get(name, ())
    if entries:
        hold_once(name, entries, built_in=name in BUILT_IN or name in REGIONS)
        if name not in OPERATORS:
            operator = load(entries[0])
            OPERATORS[name], SIGNATURES[name] = operator, _signature(operator)
    return OPERATORS.get(name)


def applied(op: Op) -> Applied:
    """An operator of a model with what enters it: what all its figures come from."""
    return Applied(OPERATORS[op.operator], op.source, Args(dict(op.args)))


def names() -> list[str]:
    """Every operator's name: the built-in ones, then those of plug-ins."""
    ours = [name for name in OPERATORS if name in BUILT_IN]
    return [*ours, *sorted(offered().keys() - BUILT_IN - REGIONS.keys())]


__all__ = [
    "BUILT_IN",
    "OPERATORS",
    "OURS",
    "REGIONS",
    "SIGNATURES",
    "Applied",
    "Args",
    "Buffer",
    "Construct",
    "Operator",
    "Parameter",
    "PluginError",
    "Refusal",
    "Region",
    "RegistrationError",
    "applied",
    "find",
    "names",
    "offered",
]
