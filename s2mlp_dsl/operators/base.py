"""The contract of an operator: its fact sheet.

One file per operator, read from top to bottom. A fact sheet walks no graph,
prints nothing and imports no torch. The contract is closed: passes ask for
these facts and never test an operator's name.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from s2mlp_dsl.diagnostics import Code, Message
from s2mlp_dsl.ir.program import Kernels, Shift, Value
from s2mlp_dsl.ir.shape import Map, Shape
from s2mlp_dsl.operators.codes import NOT_A_MAP
from s2mlp_dsl.operators.receptive_field import ReceptiveField

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
else:
    Array = Any

NONE = "none"  # what stands for a shift that moves nothing, or no fixed kernels

# The version of this contract. A plug-in says which one it was written for.
API = 1
# What may be written into the emitted source as an argument.
PythonLiteral = int | float | str | bool | tuple["PythonLiteral", ...]
Kind = Literal["count", "number", "enum", "shift", "pattern", "kernels"]
Reads = Literal["position", "neighbours", "everything"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument an operator takes.

    A `count` is a whole number of at least `least`; a `word` is one of
    `choices`; a `pattern` is a text that names axes, whose sizes are further
    arguments; `kernels` are lists of rows of numbers, or `none`. Without `default`
    the argument must be given, unless it is `implied` by the place where the
    operator stands.
    """

    name: str
    kind: Kind
    doc: str
    default: Value | None = None
    choices: tuple[str, ...] = ()
    least: int = 1
    implied: bool = False


class Refusal(Exception):
    """The operator cannot do this. The caller knows where it stands in a spec.

    `argument` is the one to blame; `fields` are those of the message's templates.
    """

    def __init__(
        self,
        message: Message | Code,
        label: str = "",
        *,
        argument: str | None = None,
        help: str | None = None,
        **fields: Any,
    ) -> None:
        if isinstance(message, Code):
            fields = {"said": label, "helped": help}
            message = Message(message, "{said}", help=help and "{helped}")
        self.message, self.argument, self.fields = message, argument, fields
        super().__init__(self.label)

    @property
    def label(self) -> str:
        """What is wrong, in a sentence without the place."""
        return self.message.label.format(**self.fields)


class Args:
    """The resolved arguments of an operator, defaults included, by name."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self.values = dict(values)

    def count(self, name: str) -> int:
        value = self.values[name]
        assert isinstance(value, int)
        return value

    def number(self, name: str) -> float:
        value = self.values[name]
        assert not isinstance(value, str | Shift | Kernels)
        return float(value)

    def enum(self, name: str) -> str:
        value = self.values[name]
        assert isinstance(value, str)
        return value

    def shift(self, name: str) -> Shift:
        value = self.values[name]
        assert isinstance(value, Shift)
        return value

    def kernels(self, name: str) -> Kernels | None:
        value = self.values.get(name, NONE)
        assert isinstance(value, Kernels) or value == NONE
        return value if isinstance(value, Kernels) else None


@dataclass(frozen=True, slots=True)
class Properties:
    """The columns of the paper's table 1.

    `reads` is what a position of the result depends on. `position_bound` ones
    compute another function at another position, borders aside;
    `channel_bound` ones treat each channel in a way of its own.
    """

    learned: bool
    reads: Reads
    position_bound: bool
    channel_bound: bool


@dataclass(frozen=True, slots=True)
class Construct:
    """How the operator's module is built: `callee(*args)`.

    `args` are Python literals (numbers, words, tuples of them); `keywords`
    follow them. `callee` is either `nn.Something` or a class of `s2mlp_dsl.nn`,
    whose file is then written into the emitted source.
    """

    callee: str
    args: tuple[PythonLiteral, ...] = ()
    keywords: tuple[tuple[str, PythonLiteral], ...] = ()


class Buffer(NamedTuple):
    """A tensor that is kept with the weights and not trained.

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


class Operator:
    """A fact sheet. `x` is the shape that enters, `a` the resolved arguments."""

    name: ClassVar[str]
    version: ClassVar[int] = 1  # of what it computes; part of the function hash
    api: ClassVar[int] = API  # of this contract; a plug-in says it itself
    # The file with the modules of a plug-in; None for `s2mlp_dsl/nn`.
    modules: ClassVar[Path | None] = None
    owner: str | None = None  # the package of a plug-in, set when it is found
    # `input` brings the image in; `embed` makes the first map, from which
    # the receptive field is counted; `merge` makes one of the branches of a
    # `parallel`, and its x has the channels of all of them.
    role: ClassVar[Literal["input", "embed", "plain", "merge"]] = "plain"
    alike: ClassVar[bool] = True  # whether a fuse needs branches of equal width
    summary: ClassVar[str]
    formula: ClassVar[str]
    initialisation: ClassVar[str] = "no parameters"
    paper: ClassVar[str]
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    example: ClassVar[str]  # a whole statement
    example_input: ClassVar[Shape | None]  # what enters the example

    def shape(self, x: Shape | None, a: Args) -> Shape:
        """The shape that leaves. Raises `Refusal` where the operator cannot."""
        raise NotImplementedError

    def settle(self, x: Shape | None, a: Args) -> Args:
        """The arguments as the IR keeps them, once the shape is proved."""
        return a

    def tensors(self, x: Shape | None, a: Args) -> dict[str, tuple[int, ...]]:
        """Trainable tensors: name in the module to shape."""
        return {}

    def terms(self, name: str, x: Shape | None, a: Args) -> int:
        """How many values a row of this matrix or kernel adds up.

        `verify` draws its weights by it, so that what passes keeps its size.
        """
        return math.prod(self.tensors(x, a)[name][1:])

    def buffers(self, x: Shape | None, a: Args) -> dict[str, Buffer]:
        """What else is stored: name in the module to shape and values.

        No parameters, so they count in no figure and no hash. `reference` finds
        them among its tensors.
        """
        return {}

    def dropped(self, x: Shape | None, a: Args) -> tuple[int, int]:
        """Rows and columns at the end of the map that no window reaches.

        What a stride beyond its window passes over is not counted: it is said.
        """
        return 0, 0

    def macs(self, x: Shape | None, a: Args) -> int:
        """Multiply-accumulates for one image, by the language's fifth law."""
        return 0

    def receptive_field(self, x: Shape, a: Args) -> ReceptiveField:
        """Which positions and channels an output depends on."""
        raise NotImplementedError

    def properties(self, x: Shape | None, a: Args) -> Properties:
        """The operator's row of the paper's table 1."""
        raise NotImplementedError

    def rowwise(self, x: Shape | None, a: Args) -> bool:
        """Whether its module takes rows [N, channels] as it takes [batch, …, channels].

        What is built for a GPU gives it rows then: see `lower/rows.py`.
        """
        return False

    def construct(self, x: Shape | None, a: Args) -> Construct:
        """The module that computes it."""
        raise NotImplementedError

    def reference(self, x: "Array", a: Args, tensors: "Mapping[str, Array]") -> "Array":
        """The formula, executed in NumPy on [batch, …, channels].

        It is what the module is held to, so it shares no code with it.
        """
        raise NotImplementedError

    def reference_in_training(
        self, x: "Array", a: Args, tensors: "Mapping[str, Array]"
    ) -> "tuple[Array, dict[str, Array]]":
        """The formula in training, and what becomes of buffers: those it changes.

        Only an operator that has buffers is asked: without any both modes are one.
        """
        return self.reference(x, a, tensors), {}

    def linear_map(self, x: Shape, a: Args) -> Iterable[Term] | None:
        """The entries of the operator's matrix, if it is a linear map of x."""
        return None


def need_map(x: Shape | None, help: str | None = None) -> Map:
    """The map that enters. Raises `Refusal` for anything else."""
    if isinstance(x, Map):
        return x
    found = "vector" if x is not None and x.kind == "vector" else "row of tokens"
    label = f"a {found} enters, {x}, and it has no grid"
    raise Refusal(NOT_A_MAP, label, help=help or "write it where there is a map still")
