"""Rows and columns that a convolution or a pool leaves unread.

Windows are as many as fit, ⌊(n + 2 · pad − size) / stride⌋ + 1 (the language's third
law). Nothing is rounded in silence: what is left at the end is noted.
"""

from s2mlp_dsl.analysis import codes
from s2mlp_dsl.diagnostics import Report
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.ir.shape import Map
from s2mlp_dsl.ir.walk import ops_in
from s2mlp_dsl.operators import applied


def note_dropped(model: Model, report: Report) -> None:
    """Note every statement whose windows do not reach the end of its map."""
    for op in ops_in(model):
        down, right = applied(op).unread()
        if op.span is None or not isinstance(op.source, Map) or not (down or right):
            continue
        sides = [("row", down, op.source.height), ("column", right, op.source.width)]
        report.add(
            codes.DROPPED,
            op.span,
            "no window reads "
            + " and ".join(_last(what, left) for what, left, _ in sides if left),
            notes=[f"the map is {op.source}; {op.result} leaves"],
            help="make the map "
            + " and ".join(
                f"{side - left} {what}s" for what, left, side in sides if left
            )
            + " large, or pad it",
        )


def _last(what: str, count: int) -> str:
    return f"the last {what}" if count == 1 else f"the last {count} {what}s"
