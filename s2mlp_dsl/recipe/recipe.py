"""A training recipe, checked by pydantic and independent of any model.

Field names are what a spec writes. To add a setting, add its field here, with its
bounds and its description, and one place in `train/` that applies it.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BeforeValidator, Field, model_validator
from pydantic.fields import FieldInfo

from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.operators import with_matrices
from s2mlp_dsl.recipe.contracts import (
    AUGMENTATIONS,
    DATASETS,
    INITIALISATIONS,
    OPERATOR_NAMES,
    OPTIMIZERS,
    SCHEDULES,
    AnyAugmentation,
    AnyDataSet,
    AnyOptimizer,
    AnySchedule,
    BelowOne,
    Count,
    Initialisations,
    Positive,
    Proportion,
)
from s2mlp_dsl.recipe.initialisations.default import Default
from s2mlp_dsl.recipe.optimizers.adamw import AdamW
from s2mlp_dsl.recipe.schedules.cosine import Cosine
from s2mlp_dsl.registry import Registry

Precision = Literal["auto", "fp32", "tf32", "bf16", "bf16_weights", "fp16"]
Corrupt = Literal["error", "skip"]
_SWITCH: dict[Any, bool] = {"on": True, "off": False}
Compile = Annotated[
    Literal[False, True, "autotune"],
    BeforeValidator(lambda v: _SWITCH.get(v, v) if isinstance(v, str) else v),
]


class Recipe(Record):
    """Everything that a run needs besides the model.

    Its length is `epochs` or `steps` of the optimizer, one of the two.
    """

    data: AnyDataSet = Field(description="what is trained and tested on")
    epochs: Count | None = Field(
        None, description="length in epochs; a recipe has either this or `steps`"
    )
    steps: Count | None = Field(None, description="length in optimizer steps")
    batch: Count = Field(
        description="images in an optimizer step, over all devices; a training epoch "
        "drops its last, shorter one"
    )
    micro_batch: Count | None = Field(
        None,
        description="images that a device handles at once, by default all of its part; "
        "gradients are accumulated over the batch",
    )
    init: Initialisations = Field(
        (Default(),), description="initialisation of matrices and kernels"
    )
    optimizer: AnyOptimizer = Field(AdamW(), description="what updates the weights")
    schedule: AnySchedule = Field(
        Cosine(),
        description="learning rate over time; lengths are in epochs, or in steps where "
        "the recipe counts `steps`",
    )
    augment: tuple[AnyAugmentation, ...] = Field(
        (), description="augmentations of the training images, in this order"
    )
    repeated_augmentation: Count = Field(
        1,
        description="shows each image so often among neighbouring batches, augmented "
        "anew each time (Hoffer et al. 2020); an epoch stays as long, so it shows "
        "fewer images",
    )
    train_fraction: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0, description="trains on this fraction of the training images, e.g. `5%`"
    )
    label_smoothing: Proportion = Field(0.0, description="of the cross entropy")
    drop_path: BelowOne = Field(
        0.0,
        description="stochastic depth (Huang et al. 2016): the rate at the last "
        "residual branch, rising linearly from 0 at the first",
    )
    dropout: BelowOne = Field(
        0.0,
        description="dropout of what each residual branch adds (Srivastava et al. "
        "2014; placed as in Vaswani et al. 2017, section 5.4)",
    )
    grad_clip: Positive | None = Field(
        None, description="largest norm of the whole gradient"
    )
    ema: BelowOne | None = Field(
        None,
        description="averages the weights with this decay, at first with "
        "(1 + step) / (10 + step); the average is what is tested, exported and "
        "predicted with",
    )
    precision: Precision = Field(
        "auto",
        description="of the passes: see below; `auto` is `bf16` on a GPU that has it, "
        "`fp32` elsewhere",
    )
    gradient_checkpointing: bool = Field(
        False,
        description="keeps the input of each block and computes the rest again in the "
        "backward pass: less memory, a third more time",
    )
    compile: Compile = Field(
        False,
        description="`on`: `torch.compile` of each block, equal ones once. `autotune`: "
        "kernels for matrix products are timed too, with what can be fused into them; "
        "the first step takes minutes",
    )
    deterministic: bool = Field(
        False,
        description="asks PyTorch for reproducible kernels on a GPU; a CPU's are",
    )
    corrupt: Corrupt = Field(
        "error",
        description="an unreadable image ends the run, or with `skip` is replaced, "
        "counted and named",
    )
    workers: Annotated[int, Field(ge=0, le=256)] = Field(
        2, description="processes that decode image folders; no result depends on them"
    )
    seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(
        0, description="of the initial weights, the order and the augmentation"
    )

    @model_validator(mode="after")
    def _has_one_length(self) -> "Recipe":
        if (self.epochs is None) == (self.steps is None):
            given = "neither" if self.epochs is None else "both"
            raise ValueError(f"write `epochs` or `steps`; {given} is given")
        return self

    def settings(self) -> dict[str, Any]:
        """The resolved recipe as plain data, for run folders and messages."""
        return self.model_dump(mode="json")


# What the value of a setting can call.
CALLS: dict[str, Registry[Any]] = {
    "data": DATASETS,
    "init": INITIALISATIONS,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "augment": AUGMENTATIONS,
}


def words_of(field: FieldInfo) -> frozenset[str]:
    """The bare words that a setting or an argument can be: `on`, `bf16`, `none`."""
    if field.json_schema_extra == OPERATOR_NAMES:
        return frozenset(with_matrices())
    return frozenset(_words(field.annotation))


def _words(annotation: Any) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        for choice in get_args(annotation):
            yield _SPELLED.get(choice, choice)
    elif annotation is bool:
        yield from ("on", "off")
    elif annotation is type(None):
        yield "none"
    else:
        for part in get_args(annotation):
            yield from _words(part)


_SPELLED: dict[Any, str] = {True: "on", False: "off"}
