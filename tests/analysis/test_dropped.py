"""Rows that no window reads are noted, and nothing else is."""

from itertools import product
from typing import cast

from s2mlp_dsl.analysis.analyze import check_spec
from s2mlp_dsl.elaborate.spec import load
from s2mlp_dsl.ir.program import Edge
from s2mlp_dsl.ir.shape import Map
from s2mlp_dsl.operators import Windows


def test_dropped_rows_are_those_that_no_window_reads() -> None:
    edges = ("zeros", "replicate", "circular", "reflect")
    found = 0
    for size, pad, height, edge in product(
        (1, 2, 3, 5), (0, 1, 2), range(1, 12), edges
    ):
        for stride in range(1, size + 1):
            if height + 2 * pad < size:
                continue
            x = Map(height=height, width=max(size, 2), channels=1)
            windows = Windows(x, size, stride, pad, cast(Edge, edge))
            read = {place for row in windows.grid().table for place in row}
            unread = sum(row * x.width not in read for row in range(height))
            assert windows.unread()[0] == unread, (windows, height)
            found += unread
    assert found > 100


def test_what_a_stride_passes_over_is_not_dropped() -> None:
    for stride, height, width in ((2, 6, 7), (3, 8, 10)):
        x = Map(height=height, width=width, channels=1)
        assert Windows(x, 1, stride, 0).unread() == (0, 0)


def test_a_note_is_no_error() -> None:
    # One note for a statement, however often it runs; a claim holds beside it.
    spec = load(
        """edition 1

block halved {
    conv(dim, 2, stride = 2, pad = 0)
}

model tried {
    image(3, 19, 15)
    stack 2 {
        halved
    }
    pool(mean)
}

claim tried {
    shape() == [3]
}
"""
    )
    checked = check_spec(spec)
    (analysis,), (note,) = checked.analyses, checked.report
    assert note.code.severity == "note" and note.primary.span.line == 4
    assert note.message.endswith("no window reads the last row and the last column")
    assert analysis.holds and not checked.report.errors
