"""What a recipe can call: records of options, each with the method that applies it.

A call such as `adamw(lr = 1e-3)` becomes a record, here `AdamW(lr=0.001)`; positional
arguments follow the order of the fields. The records are the modules of the folders
beside this file, and those that packages register, under the entry points
`s2mlp_dsl.datasets`, `.augmentations`, `.optimizers`, `.schedules` and
`.initialisations`. A module imports torch in its methods alone: a recipe is checked
without it.
"""

from collections.abc import Sequence
from inspect import get_annotations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field, SerializeAsAny
from pydantic.config import JsonDict

from s2mlp_dsl.ir.node import Record
from s2mlp_dsl.operators import find, with_matrices
from s2mlp_dsl.registry import Registry

if TYPE_CHECKING:
    from torch import Generator as Generator
    from torch import Tensor as Tensor
    from torch.optim import Optimizer as _TorchOptimizer
    from torchvision.transforms.v2 import Transform as Transform

    from s2mlp_dsl.data.augment import Change as Change
    from s2mlp_dsl.data.image_folder import Folders as Folders
    from s2mlp_dsl.data.memory import Arrays as Arrays

    TorchOptimizer = _TorchOptimizer
else:  # for annotations, without importing torch
    Arrays = Change = Folders = Generator = Tensor = TorchOptimizer = Transform = Any

# Infinity is above zero too, but nothing to train with.
Proportion = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
BelowOne = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
ImageSize = tuple[int, int, int]  # channels, height, width


class Option(Record):
    """A record that a recipe names by `kind`, the name that it is registered under."""

    api: ClassVar[int]  # the contract's version that a package was written for
    kind: str

    @classmethod
    def options(cls) -> tuple[str, ...]:
        """What a call may give, in order: its own fields, then inherited ones."""
        names = dict.fromkeys([*get_annotations(cls), *cls.model_fields])
        return tuple(one for one in names if one in cls.model_fields and one != "kind")


class DataSet(Option):
    """A data set. One that needs no files is `built_in`."""

    built_in: ClassVar[bool] = False

    @property
    def folder(self) -> str | None:
        """The folder that it is read from where `--data` names none."""
        return "data"

    def open(self, root: Path, image: ImageSize, classes: int) -> Arrays | Folders:
        """All of it, for a model of that input size and number of classes.

        Whether it fits the model is checked by the caller. Raises EnvironmentFailure
        if files are missing or damaged.
        """
        raise NotImplementedError


class Augmentation(Option):
    """A random change of training images: of single ones, or of a batch."""


class ImageAugmentation(Augmentation):
    """A change of single images.

    It applies to values in [0, 1], or with `normalised` after the normalisation.
    With `crops` it gets images as they are decoded and brings them to the input size.
    """

    normalised: ClassVar[bool] = False
    crops: ClassVar[bool] = False

    def change(self, image: ImageSize) -> Change:
        """The change, for inputs of that size. Raises UsageError if it cannot apply."""
        raise NotImplementedError


class BatchAugmentation(Augmentation):
    """A mixture of a batch's images and labels."""

    def transform(self, classes: int) -> Transform:
        """Images [B, C, H, W] and labels [B] → images and targets [B, classes]."""
        raise NotImplementedError


class Optimizer(Option):
    """An optimizer. Weight decay applies to matrices and kernels alone."""

    lr: Positive = Field(description="peak learning rate")
    weight_decay: NonNegative = Field(
        0.0, description="of matrices and kernels; norms and biases do not decay"
    )

    def build(self, groups: list[dict[str, Any]], fused: bool) -> TorchOptimizer:
        """PyTorch's optimizer over parameter groups that have their weight decay.

        `fused` says whether all parameters are on devices with fused kernels.
        """
        raise NotImplementedError


# A length in what the recipe counts in: epochs, or steps where it says `steps = …`.
Length = Annotated[float, Field(ge=0, allow_inf_nan=False), "length"]


class Schedule(Option):
    """The learning rate over time: a linear warm-up, then a decay."""

    warmup: Length = Field(0.0, description="length of the linear warm-up")
    min_lr: NonNegative = Field(0.0, description="lowest learning rate of the decay")
    warmup_lr: NonNegative = Field(1e-6, description="learning rate of the first step")

    def decayed(self, step: int, lr: float, steps: int) -> float:
        """The rate of a step after the warm-up, for a peak of `lr`, of `steps` in all.

        Lengths of this record are in steps by then.
        """
        raise NotImplementedError

    def rate(self, step: int, lr: float, steps: int) -> float:
        """The learning rate of step 0 … steps - 1."""
        if step < self.warmup:
            return self.warmup_lr + (lr - self.warmup_lr) * step / self.warmup
        return self.decayed(step, lr, steps)

    def in_steps(self, steps_per_unit: int, steps: int) -> "Schedule":
        """This schedule with its lengths in steps, of which there are `steps`."""
        lengths = {
            name: float(max(1, round(getattr(self, name) * steps_per_unit)))
            for name, field in type(self).model_fields.items()
            if "length" in field.metadata
        }
        # A warm-up of almost all epochs must not round up to the whole run.
        lengths["warmup"] = float(min(round(self.warmup * steps_per_unit), steps - 1))
        return self.model_copy(update=lengths)


# Marks an argument whose words are names of operators.
OPERATOR_NAMES: JsonDict = {"words": "operators"}


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


def _has_matrices(name: str) -> str:
    operator = find(name)
    if operator is None or not operator.has_matrices:
        listed = ", ".join(f"`{one}`" for one in with_matrices())
        raise ValueError(f"an operator with matrices or kernels: {listed}")
    return name


class Initialisation(Option):
    """How matrices and kernels begin. Biases begin at zero, except by `default`."""

    of: Annotated[
        tuple[Annotated[str, AfterValidator(_has_matrices)], ...],
        BeforeValidator(_as_list),
    ] = Field(
        (),
        description="operators that it is for; all where it names none",
        json_schema_extra=OPERATOR_NAMES,
    )

    def draw(self, weight: Tensor, generator: Generator) -> None:
        """Fill a matrix [out, in] or a kernel [out, in, height, width] in place."""
        raise NotImplementedError


def _registry(
    folder: str, kind: type[Option], needed: Sequence[str] = ()
) -> Registry[Any]:
    return Registry(f"{__package__}.{folder}", kind, tuple(needed))


DATASETS: Registry[DataSet] = _registry("datasets", DataSet, ["open"])
AUGMENTATIONS: Registry[Augmentation] = _registry("augmentations", Augmentation)
OPTIMIZERS: Registry[Optimizer] = _registry("optimizers", Optimizer, ["build"])
SCHEDULES: Registry[Schedule] = _registry("schedules", Schedule, ["decayed"])
INITIALISATIONS: Registry[Initialisation] = _registry(
    "initialisations", Initialisation, ["draw"]
)


def _from(registry: Registry[Any]) -> BeforeValidator:
    """Reads `{"kind": "adamw", "lr": 0.1}`, as a run folder has it."""

    def read(value: Any) -> Any:
        if isinstance(value, dict) and value.get("kind") in registry:
            return registry[value["kind"]].model_validate(value)
        return value

    return BeforeValidator(read)


AnyDataSet = Annotated[SerializeAsAny[DataSet], _from(DATASETS)]
AnyAugmentation = Annotated[SerializeAsAny[Augmentation], _from(AUGMENTATIONS)]
AnyOptimizer = Annotated[SerializeAsAny[Optimizer], _from(OPTIMIZERS)]
AnySchedule = Annotated[SerializeAsAny[Schedule], _from(SCHEDULES)]
AnyInitialisation = Annotated[SerializeAsAny[Initialisation], _from(INITIALISATIONS)]
# Of an operator that several are for, the last counts.
Initialisations = Annotated[tuple[AnyInitialisation, ...], BeforeValidator(_as_list)]
