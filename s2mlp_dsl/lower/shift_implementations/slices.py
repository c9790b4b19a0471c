"""Slices and concatenation."""

from s2mlp_dsl.diagnostics import Message
from s2mlp_dsl.diagnostics.catalogue import targets
from s2mlp_dsl.ir.program import Shift
from s2mlp_dsl.lower.shift_implementations import ShiftImplementation


class Slices(ShiftImplementation):
    """Fastest where PyTorch runs statement by statement, and the easiest to read."""

    api = 1
    doc = "slices and concatenation: fastest in eager PyTorch, easiest to read"
    chosen_for = "everything else"
    refuses = "clips, `reflect`, `interleave`; exports with fewer than three rows"
    module = "SlicedShift"

    def refusal(self, shift: Shift) -> Message | None:
        if shift.interleaved:
            return targets.SHIFT_INTERLEAVES
        if shift.edge == "reflect":
            return targets.SHIFT_REFLECTS
        return None
