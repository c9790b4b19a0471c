"""Diagrams: golden DOT, and what the SVG says held against the IR."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from s2mlp_dsl.analysis.analyze import analyze_model
from s2mlp_dsl.ir.program import Shift
from s2mlp_dsl.ir.walk import occurrences
from s2mlp_dsl.pictures.figures import short
from s2mlp_dsl.pictures.shifts import MOST_GROUPS
from s2mlp_dsl.pictures.statements import MOST_BOXES
from tests.pictures.picture import ROOT, SVG, Picture, drawn, expanded, group_of, s2mlp

GOLDEN = Path(__file__).parent / "golden"
SPECS = ["s2mlp_deep", "s2mlp_wide", "digits"]

# Several runs, a stack in a stack, a block on its own, a residual in a
# residual, long and oblique steps, groups of different sizes.
MIXED = """edition 1
shift far {
    edge circular
    1/8 right 3
    1/8 left 2 up 1
    1/4 up right
    rest stay
}
shift window(k = 3) {
    edge zeros
    interleave
    each down -(k - 1) / 2 .. (k - 1) / 2 right -(k - 1) / 2 .. (k - 1) / 2
}
block piece(via = far) {
    residual {
        linear(dim)
        residual {
            norm(layer)
            shift(via)
        }
    }
}
model mixed {
    image(3, 32, 32)
    patch(4, 64)
    stack 2 {
        stack 3 {
            piece
        }
        norm(layer)
    }
    stack 5 as i {
        linear(choose(i < 2, 64, 128))
        linear(64)
    }
    neck: piece(via = window)
    stack 4 {
        piece
    }
    pool(mean)
    head: linear(10)
}
"""

HOSTILE_DOC = (
    '</TABLE>> <script>alert("x")</script> ]]> &amp; &#92; \\N \\G \\E {a|b} <B> -- %'
)
HOSTILE = f'''edition 1
"""{HOSTILE_DOC}"""
model {"m" * 90} {{
    image(1, 4, 4)
    {"label_" * 40}: linear(8)
    pool(mean)
}}
'''


@pytest.fixture(scope="module")
def mixed() -> Picture:
    return Picture(drawn(expanded(MIXED), "svg"))


@pytest.mark.parametrize("name", SPECS)
def test_golden(name: str, golden: Callable[[Path, str], None]) -> None:
    text = drawn(expanded(f"specs/{name}.arch"), "dot").decode()
    golden(GOLDEN / f"{name}.dot", text)


def test_golden_mixed(golden: Callable[[Path, str], None]) -> None:
    golden(GOLDEN / "mixed.dot", drawn(expanded(MIXED), "dot").decode())


@pytest.mark.parametrize("name", SPECS)
def test_the_picture_says_what_the_program_is(name: str) -> None:
    model = expanded(f"specs/{name}.arch")
    analysis = analyze_model(model)
    picture = Picture(drawn(model, "svg"))
    costs = {row.path: row for row in analysis.rows}
    shapes: list[str] = []
    for one in occurrences(model):
        box, cost = picture.boxes[one.path], costs[one.path]
        assert one.op.operator in box.texts[0]
        assert box.tooltip.endswith(f": {cost.params:,} params, {cost.macs:,} MACs")
        if cost.params:
            assert f"{short(cost.params)} params" in box.texts[1]
        assert picture.leaving(one.path) == [str(one.op.result)]
        if shapes[-1:] != [str(one.op.result)]:
            shapes.append(str(one.op.result))
    assert picture.shapes() == shapes
    assert picture.title == model.name
    assert f"{analysis.params:,} params" in " ".join(picture.caption)
    assert analysis.receptive_field is not None
    depth = analysis.receptive_field.iterations
    (frame,) = picture.frames.values()
    assert frame.texts[0].split() == ["×", str(depth), "s2mlp_block"]


@pytest.mark.parametrize("name", [*SPECS, "mixed"])
def test_the_groups_of_each_shift(name: str) -> None:
    model = expanded(MIXED if name == "mixed" else f"specs/{name}.arch")
    picture = Picture(drawn(model, "svg"))
    found = 0
    for one in occurrences(model):
        for _, shift in one.op.args:
            if isinstance(shift, Shift) and one.path in picture.boxes:
                _, edge, *cells = picture.boxes[one.path].texts
                pairs = zip(cells[::2], cells[1::2], strict=True)
                groups = [group_of(head, count) for head, count in pairs]
                assert edge.split(", ")[0] == f"edge {shift.edge}"
                assert ("interleaved" in edge) == bool(shift.interleaved)
                assert [group[3] for group in groups] == [
                    group.channels for group in shift.groups
                ]
                for (right, down, share, channels), group in zip(
                    groups, shift.groups, strict=True
                ):
                    assert (right, down) == (group.right, group.down)
                    assert share * shift.channels == channels
                found += 1
    assert found == (2 if name == "mixed" else 1)


def test_stacks_in_frames(mixed: Picture) -> None:
    titles = {path: frame.texts[0].split() for path, frame in mixed.frames.items()}
    assert titles == {
        "stack1.0-1": ["×", "2"],
        "stack1.0-1.stack.0-2": ["×", "3", "piece"],
        "stack2": ["×", "5"],
        "stack2.0-1": ["×", "2"],
        "stack2.2-4": ["×", "3"],
        "neck": ["neck:", "piece_2"],
    }


def test_a_block_is_opened_once(mixed: Picture) -> None:
    assert mixed.boxes["stack3.0-3"].texts[0].split() == [*"×4", "piece"]
    assert "stack3.0-3.linear" not in mixed.boxes


PYRAMID = """edition 1
import s2mlp_block, cross from "std:s2mlp"
model pyramid {
    image(3, 64, 64)
    patch(1, 4)
"""


def pyramid(stages: int) -> str:
    """Patches are merged and blocks are stacked, so many times."""
    merge = {number * stages // 5: 8 << number for number in range(1, 5)}
    lines = []
    for stage in range(stages):
        if stage in merge:
            lines.append(f"merge{stage}: patch(2, {merge[stage]})")
        else:
            lines.append(f"merge{stage}: patch(1, {4 + 4 * stage})")
        block = f"s2mlp_block(ratio = {stage % 4 + 1})"
        lines.append(f"stage{stage}: stack {stage % 5 + 1} {{\n{block}\n}}")
    return PYRAMID + "\n".join(lines) + "\npool(mean)\nhead: linear(10)\n}\n"


def test_a_pyramid_of_forty_stages() -> None:
    """Every stage is a box, one is opened, and columns hold them all."""
    model = expanded(pyramid(40))
    picture = Picture(drawn(model, "svg"))
    assert list(picture.frames) == ["stage0.0"]
    for stage in range(1, 40):
        first = picture.boxes[f"merge{stage}"]
        last = "" if stage % 5 == 0 else f"-{stage % 5}"
        title, _, like = picture.boxes[f"stage{stage}.0{last}"].texts
        assert title.startswith(f"stage{stage}: ")
        assert (f"× {stage % 5 + 1} " in title) == (stage % 5 > 0)
        assert like == "as s2mlp_block, other sizes"
        assert first.texts[0].startswith(f"merge{stage}: patch(")
    marks = [one for one in picture.boxes if re.fullmatch(r"\.(in|out)\d", one)]
    assert len(marks) == 2 * len({picture.boxes[one].texts[0] for one in marks}) >= 4
    _, _, width, height = map(float, (picture.root.get("viewBox") or "").split())
    assert height < 1.6 * width
    # The flow has no gap: what enters a mark leaves its twin.
    shapes = [str(op.op.result) for op in occurrences(model)]
    for mark in (one for one in marks if ".in" in one):
        (entered,) = picture.leaving(mark)
        assert entered in shapes
        (left,) = (
            edge.tooltip
            for edge in picture.edges
            if edge.title.split("->")[1].startswith(mark.replace("in", "out"))
        )
        assert left == entered


def test_blocks_that_differ_in_more_than_sizes_are_opened() -> None:
    spec = (
        PYRAMID
        + """
    stack 2 {
        s2mlp_block
    }
    stack 2 {
        s2mlp_block(norm_kind = affine)
    }
    stack 2 {
        s2mlp_block(ratio = 2)
    }
}
"""
    )
    picture = Picture(drawn(expanded(spec), "svg"))
    assert list(picture.frames) == ["stack1.0-1", "stack2.0-1"]
    assert "as s2mlp_block, other sizes" in picture.boxes["stack3.0-1"].texts


def test_figures_in_a_frame_are_for_one_use(mixed: Picture) -> None:
    # linear(64) on 64 channels and a norm: 64·64 + 64 + 2·64.
    inner = mixed.frames["stack1.0-1.stack.0-2"].tooltip
    assert "12,864 params" in inner  # three of them
    outer = mixed.frames["stack1.0-1"].tooltip
    assert f"{2 * (12_864 + 128):,} params" in outer


def test_a_nested_skip_takes_the_other_side(mixed: Picture) -> None:
    titles = [edge.title for edge in mixed.edges if edge.tooltip == "skip connection"]
    inside = "stack1.0-1.stack.0-2."
    assert f"{inside}+1.in->{inside}+1.in.turn" in titles
    assert f"{inside}+2.in.turn->{inside}+2.in" in titles


def test_thousands_of_blocks_stay_a_picture() -> None:
    stack = "stack 300 as i {\nlinear(64 + i)\nlinear(64)\n}\n"
    rest = "linear(64)\ngelu\n" * 500
    spec = f"edition 1\nmodel m {{\nimage(1, 4, 4)\nlinear(64)\n{stack}{rest}}}\n"
    picture = Picture(drawn(expanded(spec), "svg"))
    iterations = [*picture.boxes, *picture.frames]
    shown = sum(re.fullmatch(r"stack\.\d+", path) is not None for path in iterations)
    assert picture.boxes["stack.…"].texts[0] == f"… × {300 - shown} more"
    assert picture.boxes["…"].texts[0] == "… 1,000 more statements"
    assert f"{500 * (64 * 64 + 64):,} params" in picture.boxes["…"].tooltip
    assert len(picture.boxes) < MOST_BOXES + 5


def test_a_shift_with_a_group_for_each_channel() -> None:
    spec = """edition 1
shift many {
    edge zeros
    each right -30 .. 30
}
model m {
    image(1, 4, 4)
    linear(61)
    shift(many)
}
"""
    texts = Picture(drawn(expanded(spec), "svg")).boxes["shift"].texts
    assert texts[-1] == f"… and {61 - MOST_GROUPS} more groups"


def test_hostile_names_and_docs_stay_text() -> None:
    model = expanded(HOSTILE)
    picture = Picture(drawn(model, "svg"))
    tags = {one.tag.removeprefix(SVG) for one in picture.root.iter()}
    assert tags <= {
        *[
            "svg",
            "title",
            "desc",
            "g",
            "a",
            "text",
            "polygon",
            "polyline",
            "path",
            "ellipse",
        ]
    }
    assert HOSTILE_DOC in " ".join(picture.caption)
    assert HOSTILE_DOC in (picture.description or "")
    assert drawn(model, "png").startswith(b"\x89PNG")


@pytest.mark.parametrize("letter", ["\0", "\x08", "\x1b", "\ufffe", "中", "😀", "\r"])
def test_any_letter_in_a_doc(letter: str) -> None:
    model = expanded(HOSTILE).model_copy(update={"doc": f"a{letter}b"})
    picture = Picture(drawn(model, "svg"))
    assert picture.description and picture.description.startswith("a")


@pytest.mark.parametrize("name", ["s2mlp_deep", "mixed", "hostile", "pyramid"])
def test_texts_stay_in_their_boxes_in_a_wider_font(name: str) -> None:
    specs = {"mixed": MIXED, "hostile": HOSTILE, "pyramid": pyramid(40)}
    spec = specs.get(name, f"specs/{name}.arch")
    hold_texts(Picture(drawn(expanded(spec), "svg")))


def hold_texts(picture: Picture) -> None:
    """In DejaVu Sans, which a viewer without Arial may take."""
    folder = pytest.importorskip("matplotlib").get_data_path()
    for box in picture.boxes.values():
        texts = box.spans(Path(folder) / "fonts" / "ttf")
        for number, (text, x, y, width) in enumerate(texts):
            limits = [right for left, right in box.extents(y) if left <= x <= right]
            if limits:  # a plus stands in a circle
                assert x + width <= min(limits), text
            for other, left, base, _ in texts[number + 1 :]:
                if abs(base - y) < 4 and left > x:
                    assert x + width <= left, f"{text} runs into {other}"


def test_two_processes_draw_the_same_bytes(tmp_path: Path) -> None:
    for suffix in ("svg", "png", "dot", *(["pdf"] if shutil.which("dot") else [])):
        pictures = []
        for seed in ("1", "2"):
            out = tmp_path / seed / f"deep.{suffix}"
            done = s2mlp("diagram", "specs/s2mlp_deep.arch", "-o", out, seed=seed)
            assert (done.returncode, done.stderr) == (0, f"wrote {out}\n")
            pictures.append(out.read_bytes())
        assert pictures[0] == pictures[1]


def test_dot_to_standard_output() -> None:
    done = s2mlp("diagram", "specs/s2mlp.arch", "--set", "width=8", "--set", "depth=1")
    assert done.stdout.startswith("digraph s2mlp {")
    assert (done.returncode, done.stderr) == (0, "")


def test_pdf_needs_a_system_dot(tmp_path: Path) -> None:
    out = tmp_path / "deep.pdf"
    arguments = ["diagram", "specs/s2mlp_deep.arch", "-o", out]
    if shutil.which("dot"):
        assert s2mlp(*arguments).returncode == 0
        assert out.read_bytes().startswith(b"%PDF")
        out.unlink()
    done = s2mlp(*arguments, path=str(tmp_path))
    assert done.returncode == 4
    assert "`dot` of Graphviz, which is not installed" in done.stderr
    assert not out.exists()
    # The built-in renderer is found without a PATH.
    arguments[-1] = tmp_path / "deep.SVG"
    assert s2mlp(*arguments, path=str(tmp_path)).returncode == 0


def test_unknown_suffix_is_wrong_usage(tmp_path: Path) -> None:
    done = s2mlp("diagram", "specs/digits.arch", "-o", tmp_path / "a.jpeg")
    assert done.returncode == 2
    assert "use one of .dot, .svg, .png, .pdf, .gv" in done.stderr


def test_without_torch(tmp_path: Path) -> None:
    program = (
        "import sys; from s2mlp_dsl.cli.app import app;"
        "app.main(sys.argv[1:], standalone_mode=False);"
        "assert 'torch' not in sys.modules"
    )
    for out in ("a.svg", "a.png", "a.gv"):
        command = [sys.executable, "-c", program, "diagram", "specs/digits.arch"]
        subprocess.run([*command, "-o", tmp_path / out], cwd=ROOT, check=True)


def test_figures_are_rounded_to_three_digits() -> None:
    numbers = {
        0: "0",
        999: "999",
        1000: "1.00 K",
        9_994: "9.99 K",
        9_996: "10.0 K",
        99_949: "99.9 K",
        99_960: "100 K",
        999_499: "999 K",
        999_500: "1.00 M",
        10_462_682_112: "10.5 G",
    }
    assert {number: short(number) for number in numbers} == numbers
