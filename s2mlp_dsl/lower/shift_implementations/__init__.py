"""How a spatial shift is computed: one file per implementation.

All give the same results, bit for bit where the values are finite.
`benchmarks/shift.py` measures their speed. Packages add others by the entry point group
`s2mlp_dsl.shift_implementations`.
"""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from s2mlp_dsl.diagnostics import Message
from s2mlp_dsl.diagnostics.catalogue import targets
from s2mlp_dsl.ir.program import Model, Op, Shift
from s2mlp_dsl.ir.shape import Map
from s2mlp_dsl.ir.walk import ops_in
from s2mlp_dsl.lower.errors import CannotLower
from s2mlp_dsl.operators import Construct, applied
from s2mlp_dsl.registry import Registry


class ShiftImplementation:
    """A module that computes spatial shifts. The first three facts are for the docs."""

    api: ClassVar[int]
    doc: ClassVar[str]
    chosen_for: ClassVar[str] = "`--lowering` only"
    refuses: ClassVar[str] = "clips"
    # A class of s2mlp_dsl/nn, or of `modules`; None for the operator's own.
    module: ClassVar[str | None] = None
    # The file that defines `module`, where a package brings it.
    modules: ClassVar[Path | None] = None
    max_steps: ClassVar[int | None] = None

    def refusal(self, shift: Shift) -> Message | None:
        """Why it cannot compute a shift of images of at most `max_steps`, or None."""
        return None

    def refusal_of(self, op: Op) -> Message | None:
        """Why it cannot compute the shift of a statement, None where it can."""
        shift = shift_of(op)
        if shift is None or self.module is None:
            return None
        if isinstance(op.source, Map) and op.source.time:
            return targets.SHIFT_ON_CLIP
        refused = self.refusal(shift)
        if not refused and self.max_steps and steps_of(shift) > self.max_steps:
            return targets.SHIFT_TOO_FAR
        return refused


SHIFTS: Registry[ShiftImplementation] = Registry(
    __name__, ShiftImplementation, needed=("doc", "module")
)


def default_for(device: str) -> str:
    """The implementation for a device: compilers for GPUs fuse `gather`."""
    return "gather" if device.startswith("cuda") else "slices"


def construct(op: Op, lowering: str) -> Construct:
    """How the module of a statement is constructed.

    A shift that the implementation refuses gets `select`, which computes every one.
    """
    own, implementation = applied(op).construct(), SHIFTS[lowering]()
    if shift_of(op) is None or implementation.refusal_of(op):
        return own
    return replace(own, callee=implementation.module or own.callee)


def check_lowering(model: Model, lowering: str) -> None:
    """Raise `CannotLower` if a shift of the model needs another implementation."""
    implementation = SHIFTS[lowering]()
    for op in ops_in(model):
        shift, refusal = shift_of(op), implementation.refusal_of(op)
        if shift is not None and refusal is not None:
            raise CannotLower(
                refusal,
                model,
                span=op.span,
                implementation=lowering,
                shift=shift.name,
                steps=steps_of(shift),
                limit=implementation.max_steps,
            )


def steps_of(shift: Shift) -> int:
    """How far its furthest group moves along one axis."""
    return max(max(abs(group.right), abs(group.down)) for group in shift.groups)


def shift_of(op: Op) -> Shift | None:
    """The spatial shift that a statement applies, None for any other statement."""
    return applied(op).spatial_shift()
