"""The base of every IR record: frozen, closed, compared without its spans."""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, SkipValidation

from s2mlp_dsl.source import Span

# A span is carried for messages only: pydantic does not validate it, and no dump or
# hash contains it.
SpanField = Annotated[SkipValidation[Span | None], Field(exclude=True, repr=False)]


class Record(BaseModel):
    """A frozen value without unknown fields."""

    # A validator is built on first use: no run needs all of them, and by then every
    # class that an annotation mentions is defined.
    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True
    )
    _painter: ClassVar[Callable[[Any], str] | None] = None

    @classmethod
    def shown_by(cls, painter: Callable[[Any], str]) -> None:
        """Register a function that draws values of this class as SVG, for notebooks.

        The IR itself draws nothing; `api.py` registers what does.
        """
        cls._painter = painter

    def _repr_svg_(self) -> str | None:
        """What a notebook shows; None where nothing draws this class."""
        painter = type(self)._painter
        return painter(self) if painter is not None else None


class Node(Record):
    """A record with its place in the source.

    Equality and hashing ignore the span, so equal programs are equal wherever they
    were written.
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
