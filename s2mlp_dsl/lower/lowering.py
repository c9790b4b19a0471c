"""Which module computes a spatial shift: the one place where that is chosen.

All of them give the same values, bit for bit where the values are finite.

    slices   slices and concatenation: fastest where PyTorch runs statement by
             statement, and the easiest to read; not for `reflect` or `interleave`
    select   one index_select per axis and group: every edge rule, and the only one
             besides `gather` that exports with sizes down to a single row
    gather   one read per entry at a computed index: pointwise, so a compiler for
             GPUs fuses it with what stands before, and its gradient with what comes
             after (added up entry by entry for `replicate`, `reflect`); slow on
             a CPU where nothing is compiled
    onehot   a depthwise convolution with fixed kernels, for hardware that knows
             convolutions; `keep` only where it is `replicate`, and steps up to 7

`benchmarks/shift.py` measures them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

from s2mlp_dsl.diagnostics import Diagnostic, Label, SpecError
from s2mlp_dsl.ir.program import Model, Op, Shift
from s2mlp_dsl.ir.shape import Map
from s2mlp_dsl.ir.walk import ops_in
from s2mlp_dsl.lower.codes import LOWERING
from s2mlp_dsl.operators import Construct, applied
from s2mlp_dsl.source import Source, Span

Lowering = Literal["slices", "select", "gather", "onehot"]
LOWERINGS: tuple[Lowering, ...] = get_args(Lowering)
FURTHEST = 7  # steps: a one-hot kernel of 15 × 15 holds 225 numbers for each channel


class CannotLower(SpecError):
    """A lowering was asked for that cannot compute a shift of the model."""


def choose(target: str, device: str = "cpu") -> Lowering:
    """The preferred lowering of what is made for a target and a device.

    Exported programs take maps of any size, so they get `select`; what runs
    compiled on a GPU gets `gather`; everything else `slices`.
    """
    if target in ("export", "onnx"):
        return "select"
    return "gather" if device.startswith("cuda") else "slices"


def takes_rows(device: str) -> bool:
    """Whether matrix products take rows on a device, not maps: see `rows.py`."""
    return device.startswith("cuda")


def lowered(op: Op, lowering: Lowering) -> Construct:
    """How the module of a statement is built.

    A shift that the lowering cannot compute gets `select`, which can compute
    every one.
    """
    construct, form, shift = _construct(op), _FORMS[lowering], _shift(op)
    if shift is None or form.callee is None or _refusal(op, shift, lowering):
        return construct
    return replace(construct, callee=form.callee)


def hold_lowering(model: Model, lowering: Lowering) -> None:
    """Raise `CannotLower` if a shift of the model needs another lowering."""
    for op in ops_in(model):
        shift = _shift(op)
        reason = _refusal(op, shift, lowering) if shift else None
        if shift and reason:
            span = op.span or model.span or Span(Source(model.name, ""), 0, 0)
            said = f"`{lowering}` cannot compute `{shift.name}`: {reason}"
            label = Label(span, said)
            raise CannotLower(
                [Diagnostic(LOWERING, label, help="leave --lowering out")]
            )


def _refusal(op: Op, shift: Shift, lowering: Lowering) -> str | None:
    """Why a lowering cannot compute a shift of a statement, None where it can."""
    if lowering != "select" and isinstance(op.source, Map) and op.source.time:
        return "it works on a clip"
    return _FORMS[lowering].refuses(shift)


def applies_shift(op: Op) -> bool:
    """Whether a statement is a spatial shift."""
    return _shift(op) is not None


def _construct(op: Op) -> Construct:
    """The operator's own module."""
    return applied(op).construct()


def _shift(op: Op) -> Shift | None:
    """The shift a statement applies, None where its module is another."""
    if _construct(op).callee not in ("SpatialShift", "InterleavedShift"):
        return None
    return next(value for _, value in op.args if isinstance(value, Shift))


@dataclass(frozen=True)
class _Form:
    """The class of a lowering, None for the operator's own, and what it refuses."""

    callee: str | None
    refuses: Callable[[Shift], str | None]


def _not_sliced(shift: Shift) -> str | None:
    if shift.interleaved:
        return "its channels take turns"
    if shift.edge == "reflect":
        return "its edge rule is `reflect`"
    return None


def _not_one_hot(shift: Shift) -> str | None:
    steps = [(abs(group.right), abs(group.down)) for group in shift.groups]
    if shift.edge == "keep" and any(right + down > 1 for right, down in steps):
        return "`keep` differs from `replicate` beyond one step along one axis"
    furthest = max(max(pair) for pair in steps)
    if furthest > FURTHEST:
        return f"it moves by {furthest} steps, more than {FURTHEST}"
    return None


_FORMS: dict[Lowering, _Form] = {
    "select": _Form(None, lambda shift: None),
    "slices": _Form("SlicedShift", _not_sliced),
    "gather": _Form("GatheredShift", lambda shift: None),
    "onehot": _Form("OneHotShift", _not_one_hot),
}
