"""A depthwise convolution with one-hot kernels."""

from s2mlp_dsl.diagnostics import Message
from s2mlp_dsl.diagnostics.catalogue import targets
from s2mlp_dsl.ir.program import Shift
from s2mlp_dsl.lower.shift_implementations import ShiftImplementation


class OneHot(ShiftImplementation):
    """For hardware where only convolutions are fast."""

    api = 1
    doc = "a depthwise convolution with fixed kernels: where only convolutions are fast"
    refuses = "clips, `keep` beyond one step along one axis, more than 7 steps"
    module = "OneHotShift"
    max_steps = 7  # a kernel of 15 × 15 has 225 numbers for each channel

    def refusal(self, shift: Shift) -> Message | None:
        steps = (abs(group.right) + abs(group.down) for group in shift.groups)
        if shift.edge == "keep" and max(steps) > 1:
            return targets.SHIFT_KEEPS
        return None
