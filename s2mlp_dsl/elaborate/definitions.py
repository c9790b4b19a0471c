"""The definitions of a program, each under a name of its own."""

from dataclasses import dataclass, field
from functools import cache

from s2mlp_dsl.ir import program as ir
from s2mlp_dsl.operators import built_in


@cache
def _choices() -> frozenset[str]:
    """What enum arguments of our operators may be."""
    return frozenset(
        choice
        for operator in built_in()
        for parameter in operator.parameters
        for choice in parameter.choices
    )


@dataclass(eq=False, repr=False)
class Definitions:
    """Blocks and shifts by their content: equal ones are kept once.

    `model` is the model's name, which no definition may have.
    """

    model: str = ""
    blocks: dict[str, ir.Block] = field(default_factory=dict)
    _block_names: dict[ir.Block, str] = field(default_factory=dict)
    _shifts: dict[ir.Shift, ir.Shift] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)
    _numbers: dict[str, int] = field(default_factory=dict)  # the last one by name

    def define(self, block: ir.Block) -> str:
        """Keep a block; the name that it has from now on."""
        if block not in self._block_names:
            name = self._free(block.name)
            self.blocks[name] = block.model_copy(update={"name": name})
            self._block_names[block] = name
        return self._block_names[block]

    def named(self, shift: ir.Shift) -> ir.Shift:
        """The shift under its name: a declared one on another width has another."""
        if shift not in self._shifts:
            name = self._free(shift.name)
            self._shifts[shift] = shift.model_copy(update={"name": name})
        return self._shifts[shift]

    def _free(self, name: str) -> str:
        """The name, numbered from 2 where it is taken.

        Choices count as taken, so that a printed `norm(layer)` reads as it was meant.
        """
        candidate, number = name, self._numbers.get(name, 1)
        taken = (self._taken, _choices(), (self.model,))
        while any(candidate in names for names in taken):
            number += 1
            candidate = f"{name}_{number}"
        self._numbers[name] = number
        self._taken.add(candidate)
        return candidate
