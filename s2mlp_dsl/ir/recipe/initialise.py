"""How the weights of linear layers and convolutions begin.

Biases begin at zero, except by `default`. What is no matrix or kernel (norms,
scales, positions, class tokens) begins as its operator's fact sheet says.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.ir.recipe.numbers import Positive

# The operators that have matrices or kernels.
Dense = Literal["patch", "linear", "conv", "depthwise", "attention", "split_attention"]


def _word(value: Any) -> Any:
    """`linear` is a schedule as well, and is read as one."""
    return value["kind"] if isinstance(value, dict) and len(value) == 1 else value


def _listed(value: Any) -> Any:
    return [
        _word(one) for one in (value if isinstance(value, list | tuple) else [value])
    ]


# One operator or a list of them; of all where nothing is said.
Of = Annotated[tuple[Dense, ...], BeforeValidator(_listed)]


class Default(Record):
    """As the operator's fact sheet says; `s2mlp-dsl ops NAME` prints it."""

    kind: Literal["default"] = "default"
    of: Of = ()


class TruncNormal(Record):
    """Normal with deviation `std`, drawn again beyond two deviations."""

    kind: Literal["trunc_normal"] = "trunc_normal"
    std: Positive = 0.02
    of: Of = ()


class Normal(Record):
    """Normal with deviation `std`."""

    kind: Literal["normal"] = "normal"
    std: Positive = 0.02
    of: Of = ()


class Xavier(Record):
    """Uniform in ±gain · √(6 / (fan in + fan out)) (Glorot and Bengio 2010)."""

    kind: Literal["xavier"] = "xavier"
    gain: Positive = 1.0
    of: Of = ()


class Kaiming(Record):
    """Normal with deviation √(2 / fan in) (He et al. 2015)."""

    kind: Literal["kaiming"] = "kaiming"
    of: Of = ()


Initialisation = Annotated[
    Default | TruncNormal | Normal | Xavier | Kaiming, Field(discriminator="kind")
]
# In order: of an operator that two of them are for, the later one counts.
Initialisations = Annotated[
    tuple[Initialisation, ...],
    BeforeValidator(
        lambda value: value if isinstance(value, list | tuple) else [value]
    ),
]
