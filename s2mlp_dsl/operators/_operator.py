"""The contract of an operator: what it computes, costs and depends on.

An operator is one file, read from top to bottom. It walks no graph, prints nothing and
imports no torch. Passes ask it for these facts and never test its name.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self

from s2mlp_dsl.ir.program import Shift, Value
from s2mlp_dsl.ir.shape import Map, Shape
from s2mlp_dsl.operators._definition import Definition
from s2mlp_dsl.operators._receptive_field import Moves, ReceptiveField

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
else:
    Array = Any

# What may be written into the emitted source as an argument.
PythonLiteral = int | float | str | bool | tuple["PythonLiteral", ...]


@dataclass(frozen=True, slots=True)
class Properties:
    """The columns of the paper's table 1, beside whether anything is learned.

    `reads` is what a position of the result depends on. A spatial-specific operator
    computes another function at another position, borders aside; a channel-specific
    one has weights or steps of its own for each channel.
    """

    reads: Literal["position", "neighbours", "everything"] = "position"
    spatial_specific: bool = False
    channel_specific: bool = False


@dataclass(frozen=True, slots=True)
class Construct:
    """How the operator's module is built: `callee(*args, **keywords)`.

    `callee` is either `nn.Something` or a class of `s2mlp_dsl/nn` or of the operator's
    `modules`, which is then written into the emitted source.
    """

    callee: str
    args: tuple[PythonLiteral, ...] = ()
    keywords: tuple[tuple[str, PythonLiteral], ...] = ()

    @classmethod
    def of(cls, callee: str, *args: PythonLiteral, **keywords: PythonLiteral) -> Self:
        """As the call is written: `Construct.of("nn.Linear", 4, 6, bias=False)`."""
        return cls(callee, args, tuple(keywords.items()))


class Buffer(NamedTuple):
    """A tensor that is stored with the weights and not trained.

    `values` says which it may have; a `count` is a whole number.
    """

    shape: tuple[int, ...]
    values: Literal["any", "positive", "count"]


class Term(NamedTuple):
    """One entry of a linear map: `coefficient` × (a weight, or 1) from → to.

    Entries are (position, channel). `weight` names a free scalar, None means
    the entry is fixed; `source` None is the constant input (a bias).
    """

    target: tuple[int, int]
    source: tuple[int, int] | None
    weight: tuple[int, ...] | None
    coefficient: int | Fraction = 1


class Operator(Definition):
    """An operator. Tensors are in the order of the module, channels last."""

    needed = (
        *("summary", "formula", "paper", "example", "example_input"),
        *("shape", "receptive_field", "properties", "construct", "reference"),
    )
    version: ClassVar[int] = 1  # of what it computes; part of the function hash
    # `input` brings the image in; `embed` makes the first map, from which the
    # receptive field is counted; `merge` makes one of the branches of a `parallel`,
    # and its x has the channels of all of them.
    role: ClassVar[Literal["input", "embed", "plain", "merge"]] = "plain"
    equal_branches: ClassVar[bool] = True  # whether a merge needs equal channels
    has_matrices: ClassVar[bool] = False  # or kernels, which a recipe's `init` draws
    formula: ClassVar[str]
    initialisation: ClassVar[str] = "no parameters"
    example_input: ClassVar[Shape | None]  # the input of the example

    @classmethod
    def variant(cls, args: Mapping[str, Value]) -> type[Self]:
        """The subclass for some arguments, where one name stands for several."""
        return cls

    def __new__(cls, source: Shape | None, args: Mapping[str, Value]) -> Self:
        return super().__new__(cls.variant(args))

    def on(self, x: Shape, args: Mapping[str, Value] | None = None) -> Self:
        """The same operator on another shape, with other arguments if given."""
        return type(self)(x, self.args if args is None else args)

    def shape(self) -> Shape:
        """The shape of the result. Raises `Refusal` if the operator cannot be used."""
        raise NotImplementedError

    def canonical_args(self) -> Mapping[str, Value]:
        """The arguments as the IR keeps them, the derived ones among them.

        Asked after `shape` has succeeded.
        """
        return self.args

    def for_frames(self, module: str) -> str:
        """The module, or the one that runs it on each frame where the map is a clip."""
        is_clip = isinstance(self.source, Map) and self.source.time is not None
        return f"Frame{module}" if is_clip else module

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """Trainable tensors: name in the module to shape."""
        return {}

    @property
    def learned(self) -> bool:
        """Whether it has any weights."""
        return bool(self.tensors())

    def fan_in(self, name: str) -> int:
        """How many values a row of this matrix or kernel adds up.

        `verify` scales random weights by it, so that the variance of the activations
        stays the same.
        """
        return math.prod(self.tensors()[name][1:])

    def buffers(self) -> dict[str, Buffer]:
        """What else is stored: name in the module to shape and values.

        Buffers count neither as parameters nor for hashes. `reference` finds them
        among its tensors.
        """
        return {}

    def macs(self) -> int:
        """Multiply-accumulates for one image, by the language's fifth law."""
        return 0

    def unread(self) -> tuple[int, int]:
        """Rows and columns at the end of the map that no window reads.

        What a stride beyond its window skips is not counted: that is intended.
        """
        return 0, 0

    def receptive_field(self) -> ReceptiveField:
        """Which positions and channels an output depends on."""
        raise NotImplementedError

    def moves(self) -> Moves | None:
        """Where each entry comes from, for an operator that only moves entries."""
        return None

    def listed_reads(self) -> int:
        """About how many reads `receptive_field` lists one by one, before it does."""
        return 0

    @property
    def keeps_zeros(self) -> bool:
        """Whether an output is always 0 where all that it reads is always 0.

        By default if nothing among the weights is called a bias.
        """
        return not any(name.endswith("bias") for name in self.tensors())

    def properties(self) -> Properties:
        """The operator's row of the paper's table 1."""
        raise NotImplementedError

    def linear_map(self) -> Iterable[Term] | None:
        """The entries of the operator's matrix, if it is a linear map of its input."""
        return None

    def spatial_shift(self) -> Shift | None:
        """The shift that this is, and nothing else: lowering chooses its module."""
        return None

    def construct(self) -> Construct:
        """The module that computes it."""
        raise NotImplementedError

    def accepts_rows(self) -> bool:
        """Whether the module takes rows [N, channels] as it takes [batch, …, channels].

        A model compiled for a GPU then passes rows: see `lower/rows.py`.
        """
        return False

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        """The formula, executed in NumPy on x, [batch, …, channels] of shape `self.x`.

        The module is verified against it, so the two share no code.
        """
        raise NotImplementedError

    def reference_in_training(
        self, x: Array, tensors: Mapping[str, Array]
    ) -> tuple[Array, dict[str, Array]]:
        """The formula in training, with the new value of each buffer that changes.

        Asked only if there are buffers: otherwise training computes the same.
        """
        return self.reference(x, tensors), {}
