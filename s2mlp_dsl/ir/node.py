"""The base of every IR record: frozen, closed, compared without its spans."""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, SkipValidation

from s2mlp_dsl.source import Span

# A span is a plain record of the front end. It is carried for messages only:
# pydantic need not look inside, and no dump or hash contains it.
SpanField = Annotated[SkipValidation[Span | None], Field(exclude=True, repr=False)]


class Record(BaseModel):
    """A frozen value that refuses unknown fields."""

    # Validators are made when a record of the kind is: no run needs them all, and by
    # then every kind that another one mentions is known.
    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True
    )
    _painter: ClassVar[Callable[[Any], str] | None] = None

    @classmethod
    def shown_by(cls, painter: Callable[[Any], str]) -> None:
        """Let a function draw values of this type as SVG, for notebooks.

        The IR draws nothing itself: whoever can says so (see api.py).
        """
        cls._painter = painter

    def _repr_svg_(self) -> str | None:
        """What a notebook shows; None where nobody draws this."""
        painter = type(self)._painter
        return painter(self) if painter is not None else None


class Node(Record):
    """A record that knows where in the source it came from.

    Equality and hashing ignore the span, so equal programs are equal wherever
    they were written.
    """

    span: SpanField = None
    _compared: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        cls._compared = tuple(name for name in cls.model_fields if name != "span")

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self._content() == other._content()

    def __hash__(self) -> int:
        return hash((type(self), self._content()))

    def _content(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self._compared)
