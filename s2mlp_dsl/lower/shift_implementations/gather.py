"""One read per entry, at a computed index."""

from s2mlp_dsl.lower.shift_implementations import ShiftImplementation


class Gather(ShiftImplementation):
    """Pointwise, so a compiler for GPUs fuses it with the operations before it.

    Its gradient is fused with those after it, except that `replicate` and `reflect` add
    it up entry by entry. Slow on a CPU unless compiled.
    """

    api = 1
    doc = "one read per entry at a computed index: fuses on GPUs, slow in eager PyTorch"
    chosen_for = "`--device cuda`"
    module = "GatheredShift"
