"""Branches, folds and pads as pictures."""

from collections.abc import Callable
from pathlib import Path

import pytest

from s2mlp_dsl.analysis.analyze import analyze_model
from s2mlp_dsl.ir.program import Region
from s2mlp_dsl.ir.walk import occurrences
from s2mlp_dsl.pictures.blocks import kinds_of
from s2mlp_dsl.report.source import marks_in
from tests.pictures.picture import Part, Picture, drawn, expanded
from tests.pictures.test_diagram import GOLDEN, hold_texts
from tests.report.test_report import subject

BRANCHES = """edition 1
shift cross {
    edge keep
    1/4 right
    1/4 left
    1/4 down
    1/4 up
}
block inner {
    residual {
        norm(layer)
        linear(dim)
    }
    residual {
        gelu
        parallel(copy, merge = mean) {
            branch { linear(dim) }
            branch { }
            branch { gelu }
        }
    }
}
model branches {
    image(3, 32, 32)
    patch(4, 64)
    residual {
        parallel(split, merge = concat) {
            branch { stack 2 { inner } }
            branch {
                linear(2 * dim)
                fold("y x c -> c (y x)") {
                    norm(layer)
                    residual { linear(dim) }
                }
            }
            branch { shift(cross) }
            branch {
                parallel(copy, merge = sum) {
                    branch { linear(dim) }
                    branch { depthwise(3, edge = zeros) }
                }
            }
        }
        linear(64)
    }
    pad(y, multiple = 5, edge = zeros) {
        linear(64)
    }
    pool(mean)
    head: linear(10)
}
"""


@pytest.fixture(scope="module")
def picture() -> Picture:
    return Picture(drawn(expanded(BRANCHES), "svg"))


def sides(box: Part) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of what is drawn."""
    points = box.points()
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def test_golden(golden: Callable[[Path, str], None]) -> None:
    golden(GOLDEN / "branches.dot", drawn(expanded(BRANCHES), "dot").decode())


def test_every_statement_has_a_box(picture: Picture) -> None:
    model = expanded(BRANCHES)
    rows = {row.path: row for row in analyze_model(model).rows}
    for one in occurrences(model):
        tooltip = picture.boxes[one.path].tooltip
        row = rows[one.path]
        assert tooltip.endswith(f": {row.params:,} params, {row.macs:,} MACs")


def test_branches_stand_side_by_side_above_their_merge(picture: Picture) -> None:
    heads = ["stack.0-1.norm", "linear1", "shift", "sum"]
    boxes = [sides(picture.boxes[name]) for name in heads]
    middles = [(left + right) / 2 for left, _, right, _ in boxes]
    assert middles == sorted(middles)
    merge = sides(picture.boxes["concat"])
    assert all(box[3] < merge[1] for box in boxes)
    # The skip of the residual around them passes outside of all.
    skips = [one for one in picture.edges if one.tooltip == "skip connection"]
    outer = [one for one in skips if "concat" in one.title]
    far = max(sides(one)[2] for one in outer)
    assert len(outer) == 3
    assert far > max(sides(picture.boxes[one])[2] for one in (*heads, "depthwise"))


def test_a_split_says_what_each_branch_gets(picture: Picture) -> None:
    fed = [one for one in picture.edges if one.title.startswith("concat.in.")]
    shapes = [one.texts for one in fed if one.texts]
    assert shapes == [["8 × 8 × 16"]] * 4
    assert "8 × 8 × 32" in picture.boxes["linear1"].texts


def test_a_region_is_a_frame_between_two_shapes(picture: Picture) -> None:
    assert picture.frames["rearrange1.region"].texts == ["fold", "y x c -> c (y x)"]
    assert picture.frames["extend.region"].texts == ["pad", "y, multiple 5, edge zeros"]
    model = expanded(BRANCHES)
    (pad,) = (one for one in model.body if isinstance(one, Region))
    for step in (pad.enter, pad.leave):
        assert picture.boxes[step.name].texts == [str(step.result)]


def test_texts_stay_in_their_boxes_in_a_wider_font(picture: Picture) -> None:
    hold_texts(picture)


def test_heads_in_the_source_stand_for_what_is_inside() -> None:
    about = subject(BRANCHES)
    marks = marks_in(about.program.spec.source, about.model)
    groups = {one.span.text: one.inside for one in marks if one.inside}
    assert groups["pad(y, multiple = 5, edge = zeros)"] == ("extend", "linear5", "crop")
    (pad,) = (one for one in marks if one.span.text.startswith("pad("))
    assert pad.paths == ("extend", "crop")
    fold = groups['fold("y x c -> c (y x)")']
    assert fold == ("rearrange1", "norm", "linear2", "rearrange2")
    assert groups["parallel(split, merge = concat)"][-1] == "concat"
    paths = {path for mark in marks for path in mark.paths}
    (head,) = (one for one in marks if "merge = concat" in one.span.text)
    assert head.paths == ("concat",)
    assert paths == {one.path for one in occurrences(about.model)}


def test_split_and_copy_are_not_alike() -> None:
    spec = """edition 1
model m {{
    image(1, 4, 4)
    linear(8)
    stack 1 {{
        {}
    }}
    stack 1 {{
        {}
    }}
}}
"""
    piece = (
        "parallel({}, merge = concat) {{\n"
        "branch {{ gelu\n linear(4)\n gelu }}\n"
        "branch {{ linear(4) }}\n"
        "}}"
    )
    split, copy = piece.format("split"), piece.format("copy")
    for first, second, alike in ((split, copy, False), (copy, copy, True)):
        model = expanded(spec.format(first, second))
        found = set(kinds_of(model).values())
        assert (len(found) == 1) == alike
