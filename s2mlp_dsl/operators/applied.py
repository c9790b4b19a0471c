"""An operator at work in a model: its definition on what enters it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from s2mlp_dsl.ir.shape import Shape
from s2mlp_dsl.operators.base import (
    Args,
    Array,
    Buffer,
    Construct,
    Operator,
    Properties,
    Term,
)
from s2mlp_dsl.operators.receptive_field import ReceptiveField


@dataclass(frozen=True, slots=True)
class Applied:
    """A definition with the shape that enters and its arguments; see `Operator`."""

    definition: Operator
    x: Shape | None
    args: Args

    def on(self, x: Shape, args: Args | None = None) -> "Applied":
        """The same operator on another shape, with other arguments if given."""
        return Applied(self.definition, x, args or self.args)

    @property
    def role(self) -> str:
        return self.definition.role

    def shape(self) -> Shape:
        return self.definition.shape(self.x, self.args)

    def resolved(self) -> Args:
        return self.definition.settle(self.x, self.args)

    def tensors(self) -> dict[str, tuple[int, ...]]:
        return self.definition.tensors(self.x, self.args)

    def fan_in(self, name: str) -> int:
        return self.definition.terms(name, self.x, self.args)

    def buffers(self) -> dict[str, Buffer]:
        return self.definition.buffers(self.x, self.args)

    def unread(self) -> tuple[int, int]:
        return self.definition.dropped(self.x, self.args)

    def macs(self) -> int:
        return self.definition.macs(self.x, self.args)

    def receptive_field(self) -> ReceptiveField:
        assert self.x is not None
        return self.definition.receptive_field(self.x, self.args)

    def properties(self) -> Properties:
        return self.definition.properties(self.x, self.args)

    def accepts_rows(self) -> bool:
        return self.definition.rowwise(self.x, self.args)

    def construct(self) -> Construct:
        return self.definition.construct(self.x, self.args)

    def reference(self, x: Array, tensors: Mapping[str, Array]) -> Array:
        return self.definition.reference(x, self.args, tensors)

    def reference_in_training(
        self, x: Array, tensors: Mapping[str, Array]
    ) -> tuple[Array, dict[str, Array]]:
        return self.definition.reference_in_training(x, self.args, tensors)

    def linear_map(self) -> Iterable[Term] | None:
        assert self.x is not None
        return self.definition.linear_map(self.x, self.args)
