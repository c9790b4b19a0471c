"""What operators and regions have in common: a name, arguments, refusals."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, Self, TypeVar, overload

from s2mlp_dsl.diagnostics import Message
from s2mlp_dsl.diagnostics.catalogue import shapes
from s2mlp_dsl.ir.program import Kernels, Shift, Value
from s2mlp_dsl.ir.shape import Map, Shape

NONE = "none"  # in a spec: a shift that moves nothing, or no fixed kernels

T = TypeVar("T")


class Parameter(Generic[T]):
    """An argument that an operator or a region takes, as a field of its class.

    On an operator of a model, the field is the value of the argument. It must be
    given if `default` is None, except where it is `implied` by the surrounding
    statement (and never written), or `optional`: the operator then derives it, and
    the field is None until it has. A field may end with `_`, which is not part of
    the name.
    """

    kind: ClassVar[Literal["count", "number", "enum", "shift", "pattern", "kernels"]]
    optional: ClassVar[bool] = False
    name: str

    def __init__(
        self,
        doc: str,
        default: Value | None = None,
        *,
        choices: tuple[str, ...] = (),
        least: int = 1,
        implied: bool = False,
    ) -> None:
        self.doc, self.default, self.choices = doc, default, choices
        self.least, self.implied = least, implied

    @property
    def required(self) -> bool:
        return self.default is None and not (self.optional or self.implied)

    def read(self, value: Any) -> T:
        """The Python value of an argument."""
        return value  # type: ignore[no-any-return]

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name.rstrip("_")

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: "Definition", owner: type) -> T: ...
    def __get__(self, instance: "Definition | None", owner: type) -> Self | T:
        if instance is None:
            return self
        return self.read(instance.args.get(self.name, self.default))


class Count(Parameter[int]):
    """A whole number of at least `least`."""

    kind = "count"


class OptionalCount(Parameter[int | None]):
    kind = "count"
    optional = True


class Number(Parameter[float]):
    """A number, exact in a spec."""

    kind = "number"

    def read(self, value: Any) -> float:
        return float(value)


class Enum(Parameter[str]):
    """One of `choices`."""

    kind = "enum"


class Switch(Parameter[bool]):
    """`on` or `off`."""

    kind = "enum"

    def __init__(self, doc: str, default: Literal["on", "off"] | None = None) -> None:
        super().__init__(doc, default, choices=("on", "off"))

    def read(self, value: Any) -> bool:
        return bool(value == "on")


class OptionalSwitch(Parameter[bool | None]):
    kind = "enum"
    optional = True

    def __init__(self, doc: str) -> None:
        super().__init__(doc, choices=("on", "off"))

    def read(self, value: Any) -> bool | None:
        return None if value is None else value == "on"


class ShiftArgument(Parameter[Shift]):
    """The name of a declared shift, or `none`."""

    kind = "shift"


class PatternArgument(Parameter[str]):
    """Text that names axes, as in einops; their sizes are further arguments."""

    kind = "pattern"


class KernelsArgument(Parameter[Kernels | None]):
    """Lists of rows of numbers, or `none`."""

    kind = "kernels"

    def __init__(self, doc: str) -> None:
        super().__init__(doc, NONE)

    def read(self, value: Any) -> Kernels | None:
        return value if isinstance(value, Kernels) else None


class Refusal(Exception):
    """The operator cannot do this. The caller knows where it stands in a spec.

    `argument` is the one to blame; `fields` fill in the message's templates.
    """

    def __init__(
        self, message: Message, *, argument: str | None = None, **fields: Any
    ) -> None:
        self.message, self.argument, self.fields = message, argument, fields
        super().__init__(self.label)

    @property
    def label(self) -> str:
        """What is wrong, without the place."""
        return self.message.label.format(**self.fields)


class Definition:
    """The class defines an operator or a region, an instance is one in a model.

    An instance has the shape of its input as `x` (None for an operator that brings
    the image in: see `source`) and the value of each argument as a field.
    """

    needed: ClassVar[tuple[str, ...]] = ()  # what a class must have itself
    api: ClassVar[int]  # the version of the contract that it is written for
    name: ClassVar[str]
    summary: ClassVar[str]
    paper: ClassVar[str]
    parameters: ClassVar[tuple[Parameter[Any], ...]] = ()
    example: ClassVar[str]  # a whole statement; that of a region without its body
    # The file with the modules of a package; None for `s2mlp_dsl/nn`.
    modules: ClassVar[Path | None] = None

    def __init__(self, source: Shape | None, args: Mapping[str, Value]) -> None:
        self.source, self.args = source, args

    def __init_subclass__(cls) -> None:
        own = {k: v for k, v in vars(cls).items() if isinstance(v, Parameter)}
        for field, parameter in own.items():
            inherited = getattr(super(cls, cls), field, parameter)
            if field in ("source", "args") or not isinstance(inherited, Parameter):
                raise TypeError(f"`{field}` has a meaning in {cls.__name__}: add a `_`")
        names = {p.name for p in own.values()}
        others = (p for p in cls.parameters if p.name not in names)
        cls.parameters = (*own.values(), *others)
        if cls.modules is not None and not cls.modules.is_file():
            raise FileNotFoundError(f"there is no file {cls.modules}")

    def args_with(self, **changes: Value | None) -> dict[str, Value]:
        """The arguments in the order of the parameters, with changes; None removes."""
        changed = {**self.args, **changes}
        ordered = sorted(self.parameters, key=lambda p: not p.implied)
        values = ((p.name, changed.get(p.name)) for p in ordered)
        return {name: value for name, value in values if value is not None}

    @property
    def x(self) -> Shape:
        """The shape of the input."""
        assert self.source is not None
        return self.source

    @property
    def map(self) -> Map:
        """The shape of the input where it is a map. Raises `Refusal` otherwise."""
        if isinstance(self.source, Map):
            return self.source
        kind = "vector" if self.x.kind == "vector" else "row of tokens"
        raise Refusal(shapes.MAP_NEEDED, kind=kind, shape=self.x)
