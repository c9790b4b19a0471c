"""One `index_select` per axis and group."""

from s2mlp_dsl.lower.shift_implementations import ShiftImplementation


class Select(ShiftImplementation):
    """The operator's own module: every edge rule, clips, and exports of any size."""

    api = 1
    doc = "one `index_select` per axis and group: computes every shift"
    chosen_for = "`export`, `onnx`, and what `slices` refuses"
    refuses = ""
