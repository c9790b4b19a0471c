"""Rows: a map with all positions of a batch along one axis.

    [batch, height, width, channels]  ⇄  [batch · height · width, channels]

Both are views of the same memory. Modules built for a GPU use rows in blocks that need
the map only for their shifts: without a view between a matrix product and the
operations after it a compiler fuses more, forward and backward (see
`benchmarks/README.md`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from s2mlp_dsl.ir.program import Body, Invocation, Op
from s2mlp_dsl.ir.walk import within
from s2mlp_dsl.lower.shift_implementations import shift_of
from s2mlp_dsl.operators import applied

Layout = Literal["rows", "map", "either"]


def uses_rows(device: str) -> bool:
    """Whether modules for a device use rows."""
    return device.startswith("cuda")


def fits_rows(body: Body) -> bool:
    """Whether a body has matrix products, and needs maps for nothing but shifts."""
    inside = list(within(body))
    if any(isinstance(one, Invocation) for one in inside):
        return False  # blocks take maps
    ops = [one for one in inside if isinstance(one, Op) and not shift_of(one)]
    layouts = {layout_of(op) for op in ops}
    return "rows" in layouts and "map" not in layouts


def layout_of(op: Op) -> Layout:
    """What a statement takes: products take rows, other rowwise operators either."""
    operator = applied(op)
    grid = op.source is not None and len(op.source.dims) > 1
    if not grid or not operator.accepts_rows():
        return "map"
    return "rows" if operator.macs() else "either"


def layout_for(body: Body) -> Layout:
    """The layout for the first operator of a body: its own, or the next one's.

    So a GELU before a shift is computed on the map, in the shift's kernel.
    """
    for statement in body:
        if not isinstance(statement, Op):
            break
        layout = layout_of(statement)
        if layout != "either":
            return layout
    return "either"


@dataclass
class Layouts:
    """Which variables of a `forward` are rows; writes the lines that convert them."""

    lines: list[str]
    enabled: bool
    rows: set[str] = field(default_factory=set)
    has_size: bool = False  # whether `size`, the leading axes of every map, is defined

    def convert(self, variable: str, layout: Layout) -> None:
        """Write the conversion of a variable to a layout, where it has another."""
        if not self.enabled:
            return
        if layout == "map" and variable in self.rows:
            self.rows.remove(variable)
            self._write(f"{variable} = torch.unflatten({variable}, 0, size)")
        elif layout == "rows" and variable not in self.rows:
            line = f"{variable} = {variable}.flatten(0, -2)"
            if not self.has_size:
                self._write(f"size = {variable}.shape[:-1]")
                line += "  # rows: [batch · height · width, channels]"
            self._write(line)
            self.rows.add(variable)
            self.has_size = True

    def unify(self, variables: Sequence[str]) -> None:
        """Convert all variables to rows if any of them is."""
        if self.rows & set(variables):
            for variable in variables:
                self.convert(variable, "rows")

    def assigned(self, targets: Sequence[str], source: str) -> None:
        """`targets` were computed from `source`, and have its layout."""
        if source in self.rows:
            self.rows |= set(targets)
        else:
            self.rows -= set(targets)

    def _write(self, line: str) -> None:
        self.lines.append(f"        {line}")
