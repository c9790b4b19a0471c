"""Rows: a map with all of the batch's positions in one axis.

    [batch, height, width, channels]  ⇄  [batch · height · width, channels]

Both are views of the same memory. In what is built for a GPU, blocks that need the map
for their shifts alone keep rows everywhere else: where no view stands between a matrix
product and what is computed of it, a compiler fuses more, forward and backward
(`benchmarks/README.md` counts it).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from s2mlp_dsl.ir.program import Call, Op, Parallel, Stack, Statement, bodies
from s2mlp_dsl.lower.lowering import applies_shift
from s2mlp_dsl.operators import applied

Form = Literal["rows", "map", "either"]


def in_rows(body: Sequence[Statement]) -> bool:
    """Whether a body multiplies matrices, and leaves rows for nothing but shifts."""
    ops = _ops(body)
    forms = [form_of(op) for op in ops if op is not None and not applies_shift(op)]
    return None not in ops and "rows" in forms and "map" not in forms


def _ops(body: Sequence[Statement]) -> list[Op | None]:
    """The operators of a body; None for a block, which takes maps."""
    found: list[Op | None] = []
    for statement in body:
        match statement:
            case Op():
                found.append(statement)
            case Call() | Stack():
                found.append(None)
            case Parallel(merge=merge):
                found.append(merge)
        for inner in bodies(statement):
            found += _ops(inner)
    return found


def form_of(op: Op) -> Form:
    """What a statement takes: products take rows, other rowwise ones either."""
    operator = applied(op)
    grid = op.source is not None and len(op.source.dims) > 1
    if not grid or not operator.accepts_rows():
        return "map"
    return "rows" if operator.macs() else "either"


def wanted(body: Sequence[Statement]) -> Form:
    """The form for the operator that a body begins with: its own, or of one behind it.

    So a GELU before a shift is computed of the map, in the shift's kernel.
    """
    for statement in body:
        if not isinstance(statement, Op):
            break
        form = form_of(statement)
        if form != "either":
            return form
    return "either"


@dataclass
class Rows:
    """The variables of a `forward` that hold rows, and the lines that make them so."""

    lines: list[str]
    used: bool
    held: set[str] = field(default_factory=set)
    sized: bool = False  # whether `size`, the leading axes of every map, is known

    def bring(self, variable: str, form: Form) -> None:
        """Write what gives a variable the form, where it has another."""
        if not self.used:
            return
        if form == "map" and variable in self.held:
            self.held.remove(variable)
            self._write(f"{variable} = torch.unflatten({variable}, 0, size)")
        elif form == "rows" and variable not in self.held:
            line = f"{variable} = {variable}.flatten(0, -2)"
            if not self.sized:
                self._write(f"size = {variable}.shape[:-1]")
                line += "  # rows: [batch · height · width, channels]"
            self._write(line)
            self.held.add(variable)
            self.sized = True

    def alike(self, variables: Sequence[str]) -> None:
        """The same form for all: rows, if any holds them."""
        if self.held & set(variables):
            for variable in variables:
                self.bring(variable, "rows")

    def made(self, targets: Sequence[str], source: str) -> None:
        """`targets` now hold what was made of `source`, in its form."""
        if source in self.held:
            self.held |= set(targets)
        else:
            self.held -= set(targets)

    def _write(self, line: str) -> None:
        self.lines.append(f"        {line}")
