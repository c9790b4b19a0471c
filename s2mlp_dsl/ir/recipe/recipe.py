"""A training recipe, checked by pydantic and independent of any model.

Field names are what a spec writes: `optimizer = adamw(lr = 2e-3)` becomes
`AdamW(lr=0.002)`. Positional arguments follow the order of the fields.
"""

from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, model_validator

from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.ir.recipe.augment import (
    Augmentation,
    ColorJitter,
    CutMix,
    Erasing,
    Flip,
    Mixup,
    RandAugment,
    RandomResizedCrop,
    Translate,
)
from s2mlp_dsl.ir.recipe.data import (
    CIFAR10,
    CIFAR100,
    Data,
    Digits,
    FashionMNIST,
    Folder,
    ImageNet,
    Synthetic,
)
from s2mlp_dsl.ir.recipe.initialise import (
    Default,
    Initialisations,
    Kaiming,
    Normal,
    TruncNormal,
    Xavier,
)
from s2mlp_dsl.ir.recipe.numbers import Count, Decay, Positive, Share
from s2mlp_dsl.ir.recipe.optimize import (
    SGD,
    AdamW,
    Cosine,
    Linear,
    Optimizer,
    Schedule,
    Step,
)

# What a spec may call in a recipe, by the word it writes.
KINDS: dict[str, type[Record]] = {
    kind.model_fields["kind"].default: kind
    for kind in (
        *(Digits, Synthetic, FashionMNIST, CIFAR10, CIFAR100, ImageNet, Folder),
        *(AdamW, SGD, Cosine, Linear, Step),
        *(Translate, Flip, RandomResizedCrop, RandAugment, ColorJitter, Erasing),
        *(Mixup, CutMix),
        *(Default, TruncNormal, Normal, Xavier, Kaiming),
    )
}

Precision = Literal["auto", "fp32", "tf32", "bf16", "bf16_weights", "fp16"]
Corrupt = Literal["error", "skip"]
_TRUTHS: dict[Any, bool] = {"on": True, "off": False}
Compile = Annotated[
    Literal[False, True, "autotune"],
    BeforeValidator(lambda v: _TRUTHS.get(v, v) if isinstance(v, str) else v),
]

# Bare words that are no calls: choices, and what stands for nothing or a truth.
WORDS = frozenset(
    {"none", "on", "off", *get_args(Precision), *get_args(Corrupt), "autotune"}
)


class Recipe(Record):
    """Everything a run needs besides the model.

    Length: `epochs`, or `steps` of the optimizer; one of the two.

    `batch` is the number of images in an optimizer step over all devices; the
    last, shorter batch of a training epoch is dropped. A device handles its
    share at once, or `micro_batch` images at a time and adds the gradients up.

    `init` is how matrices and kernels begin; see initialise.py.

    `share` trains on that part of the training images, drawn by the seed: as much
    of every class, and the smaller share within the larger. An epoch is as long
    as without it, so runs on different shares take the same steps.

    `repeats` shows each image that often in a row of batches, changed anew each
    time (Hoffer et al. 2020); an epoch is not longer, so it shows fewer images.
    `drop_path` is the rate at the last residual branch, rising linearly from 0
    (Huang et al. 2016). `dropout` sets entries of what each residual branch adds to
    0 with this probability (Srivastava et al. 2014; placed as in Vaswani et al. 2017,
    section 5.4). `ema` averages the weights with this decay, starting
    with min(decay, (1 + step) / (10 + step)); then the average is what is
    tested, exported and predicted with.

    `precision` `auto` is bf16 autocast on a GPU that has it and fp32 elsewhere.
    `bf16_weights` computes all of the model in bf16, weights and residual stream too;
    the weights that the optimizer changes and a checkpoint keeps stay float32.
    `compile` compiles each block; `autotune` lets the compiler time its kernels, and
    what it may fuse with matrix products.
    `activation_checkpointing` keeps only what enters each block and computes the
    rest again. `deterministic` asks PyTorch for reproducible kernels on a GPU;
    on a CPU they are so anyway. `corrupt` says what an unreadable image is: an
    error, or skipped and counted. `workers` processes decode image folders; data
    held in memory needs none, and no result depends on them.
    """

    data: Data
    epochs: Count | None = None
    steps: Count | None = None
    batch: Count
    micro_batch: Count | None = None
    init: Initialisations = (Default(),)
    optimizer: Optimizer = AdamW()
    schedule: Schedule = Cosine()
    augment: tuple[Augmentation, ...] = ()
    repeats: Count = 1
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    smoothing: Share = 0.0
    drop_path: Decay = 0.0
    dropout: Decay = 0.0
    clip: Positive | None = None
    ema: Decay | None = None
    precision: Precision = "auto"
    activation_checkpointing: bool = False
    compile: Compile = False
    deterministic: bool = False
    corrupt: Corrupt = "error"
    workers: Annotated[int, Field(ge=0, le=256)] = 2
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0

    @model_validator(mode="after")
    def _has_one_length(self) -> "Recipe":
        if (self.epochs is None) == (self.steps is None):
            given = "both" if self.epochs is not None else "neither"
            raise ValueError(
                f"a recipe says `epochs = …` or `steps = …`; {given} is given"
            )
        return self

    def settings(self) -> dict[str, Any]:
        """The resolved recipe as plain data, for run folders and messages."""
        return self.model_dump(mode="json")
