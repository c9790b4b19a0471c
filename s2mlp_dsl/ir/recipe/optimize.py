"""How a recipe moves the weights: optimizers and schedules.

Lengths of a schedule are in what the recipe counts in: epochs, or steps where
it says `steps = …`.
"""

from typing import Annotated, Literal

from pydantic import Field

from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.ir.recipe.numbers import Decay, NotNegative, Positive, Share


class AdamW(Record):
    """AdamW (Loshchilov and Hutter 2019). No decay on norms and biases."""

    kind: Literal["adamw"] = "adamw"
    lr: Positive = 1e-3
    weight_decay: NotNegative = 0.05
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    eps: Positive = 1e-8


class SGD(Record):
    """SGD with Nesterov's momentum. No decay on norms and biases."""

    kind: Literal["sgd"] = "sgd"
    lr: Positive = 0.1
    weight_decay: NotNegative = 1e-4
    momentum: Decay = 0.9


Optimizer = Annotated[AdamW | SGD, Field(discriminator="kind")]


class Cosine(Record):
    """Linear warm-up from `start` over `warmup`, then a cosine to `floor`."""

    kind: Literal["cosine"] = "cosine"
    warmup: NotNegative = 0
    floor: NotNegative = 0.0
    start: NotNegative = 1e-6


class Linear(Record):
    """Linear warm-up from `start` over `warmup`, then a straight line to `floor`."""

    kind: Literal["linear"] = "linear"
    warmup: NotNegative = 0
    floor: NotNegative = 0.0
    start: NotNegative = 1e-6


class Step(Record):
    """Linear warm-up, then times `factor` after each `every`, not below `floor`."""

    kind: Literal["step"] = "step"
    every: Positive
    factor: Share = 0.1
    warmup: NotNegative = 0
    floor: NotNegative = 0.0
    start: NotNegative = 1e-6


Schedule = Annotated[Cosine | Linear | Step, Field(discriminator="kind")]
