"""The views beside the model: golden DOT, and what their SVG says."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from s2mlp_dsl.api import elaborate
from s2mlp_dsl.ir.program import Shift
from s2mlp_dsl.ir.walk import occurrences, ops_in
from s2mlp_dsl.pictures.fx_graph import TracedNode, trace
from s2mlp_dsl.pictures.picture import Format
from s2mlp_dsl.pictures.theme import DARK, LIGHT, PRINT, THEMES, Theme, ThemeName
from s2mlp_dsl.pictures.views import VIEWS, CannotDraw
from s2mlp_dsl.pictures.views.graph import draw_graph
from s2mlp_dsl.registry import RegistrationError, forget_packages
from tests.pictures.picture import LINK, ROOT, SVG, Picture, expanded, s2mlp
from tests.pictures.test_diagram import HOSTILE, MIXED

GOLDEN = Path(__file__).parent / "golden"
WITHOUT_TORCH = [view for view in VIEWS if not VIEWS[view].needs_torch]
OTHERS = [view for view in WITHOUT_TORCH if view != "model"]


def picture(
    spec: str,
    view: str,
    format: Format = "svg",
    theme: ThemeName = "light",
    block: str | None = None,
) -> bytes:
    program = elaborate(spec if "\n" in spec else ROOT / spec)
    return program.diagram(view, theme, block).render(format)


@pytest.mark.parametrize("view", OTHERS)
def test_golden(view: str, golden: Callable[[Path, str], None]) -> None:
    text = picture("specs/s2mlp_deep.arch", view, "dot").decode()
    golden(GOLDEN / f"s2mlp_deep.{view}.dot", text)


@pytest.mark.parametrize("spec", ["specs/s2mlp_deep.arch", MIXED])
def test_shares_and_arrows_of_a_shift(spec: str) -> None:
    model = expanded(spec)
    root = ET.fromstring(picture(spec, "shift"))
    shifts = {
        value.name: value
        for op in ops_in(model)
        for _, value in op.args
        if isinstance(value, Shift)
    }
    shares: dict[str, dict[tuple[int, int], Fraction]] = {}
    names: dict[str, str] = {}
    tails: dict[str, set[tuple[int, int]]] = {}
    for group in root.iter(f"{SVG}g"):
        title = group.findtext(f"{SVG}title") or ""
        texts = ["".join(one.itertext()) for one in group.iter(f"{SVG}text")]
        if found := re.fullmatch(r"(shift\d+)\.(-?\d+)\.(-?\d+)", title):
            if texts:
                at = int(found[2]), int(found[3])
                shares.setdefault(found[1], {})[at] = Fraction(texts[0])
        elif group.get("class") == "node":
            names[title] = texts[0].split(",")[0]
        elif found := re.fullmatch(r"(shift\d+)\.0\.0->\1\.(-?\d+)\.(-?\d+)", title):
            tails.setdefault(found[1], set()).add((int(found[2]), int(found[3])))
    assert sorted(names.values()) == sorted(shifts)
    for node, name in names.items():
        shift = shifts[name]
        wanted = {
            (one.right, one.down): Fraction(one.channels, shift.channels)
            for one in shift.groups
        }
        assert shares[node] == wanted
        assert tails[node] == set(wanted) - {(0, 0)}


def test_one_grid_for_a_shift_on_several_widths() -> None:
    spec = """edition 1
import cross from "std:s2mlp"
model m {
    image(3, 8, 8)
    linear(8)
    shift(cross)
    linear(16)
    shift(cross)
}
"""
    words = [box.texts for box in Picture(picture(spec, "shift")).boxes.values()]
    titles = [texts for texts in words if len(texts) == 2]
    assert titles == [["cross, edge keep", "8, 16 channels in 4 groups"]]


def test_what_moves_in_time_stands_beside_the_grid() -> None:
    spec = """edition 1
shift tsm {
    edge zeros
    1/8 later
    1/8 earlier
    1/4 right
    rest stay
}
model m {
    video(3, 4, 8, 8)
    linear(16)
    shift(tsm)
    pool(mean)
}
"""
    boxes = Picture(picture(spec, "shift")).boxes
    assert boxes["shift1"].texts[-1] == "in time: later 1/8, earlier 1/8"
    assert boxes["shift1.0.0"].texts == ["1/2"]
    assert boxes["shift1.1.0"].texts == ["1/4"]
    assert "MACs per clip" in " ".join(Picture(picture(spec, "model")).caption)
    with pytest.raises(CannotDraw, match="clips"):
        picture(
            spec.replace("pool", "stack 2 {\nshift(tsm)\n}\npool"), "receptive-field"
        )


def test_the_receptive_field_is_drawn_as_it_is() -> None:
    spec = "specs/s2mlp_deep.arch"
    shown = Picture(picture(spec, "receptive-field"))
    texts = shown.boxes["receptive_field"].texts
    depths = [int(text.split()[1]) for text in texts if text.startswith("after ")]
    seen = [int(text.split()[0]) for text in texts if text.endswith("of 196")]
    assert depths == [1, 2, 4, 8, 16, 26]
    # In the middle: an L1 ball, cut by the border of 14 × 14.
    balls = [
        sum(abs(y - 7) + abs(x - 7) <= n for y in range(14) for x in range(14))
        for n in depths
    ]
    assert seen == balls
    fills = [one.get("fill") for one in shown.root.iter(f"{SVG}polygon")]
    assert fills.count(LIGHT.seen) == sum(seen) - len(depths)
    assert fills.count(LIGHT.chosen) == len(depths)


def test_a_block_alone() -> None:
    shown = Picture(picture("specs/s2mlp_deep.arch", "block"))
    assert shown.title == "s2mlp_block of s2mlp_deep"
    assert shown.shapes() == [
        "14 × 14 × 384",
        "14 × 14 × 1536",
        "14 × 14 × 384",
    ]
    assert "36 of it in the model" in " ".join(shown.caption)
    assert "1.48 M params · 289 M MACs each" in shown.caption
    # `× 36`, and the figures are of one of them, wherever it is drawn.
    tooltips = [box.tooltip for box in shown.boxes.values()]
    assert "stack.0-35.linear1: 147,840 params, 28,901,376 MACs" in tooltips


def test_which_block() -> None:
    with pytest.raises(CannotDraw, match="`piece`, "):
        picture(MIXED, "block")
    with pytest.raises(CannotDraw, match="has no block `nope`"):
        picture(MIXED, "block", block="nope")
    assert Picture(picture(MIXED, "block", block="piece")).boxes


@pytest.mark.parametrize("view", OTHERS)
@pytest.mark.parametrize("spec", ["specs/s2mlp_deep.arch", MIXED])
def test_texts_stay_in_their_boxes_in_a_wider_font(view: str, spec: str) -> None:
    fonts = Path(pytest.importorskip("matplotlib").get_data_path()) / "fonts" / "ttf"
    block = "piece" if view == "block" and spec == MIXED else None
    root = ET.fromstring(picture(spec, view, block=block))
    _, _, whole, _ = map(float, (root.get("viewBox") or "").split())
    shown = Picture(ET.tostring(root))
    checked = 0
    for box in shown.boxes.values():
        for text, x, y, width in box.spans(fonts):
            limits = [right for left, right in box.extents(y) if left <= x <= right]
            assert x + width <= min([*limits, whole]), text
            checked += 1
    assert checked


def test_no_receptive_field_without_a_stack() -> None:
    with pytest.raises(CannotDraw, match="no stack"):
        picture(HOSTILE, "receptive-field")
    with pytest.raises(CannotDraw, match="resnet_50 is too large"):
        picture("specs/resnet.arch", "receptive-field")
    assert b"no shift in this model" in picture(HOSTILE, "shift")


def _luminance(colour: str) -> float:
    levels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in levels
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [LIGHT, DARK, PRINT], ids=list(THEMES))
def test_text_is_readable_on_every_fill(theme: Theme) -> None:
    fills = [theme.paper, theme.plain, theme.stacked, *theme.shades]
    pairs = [(ink, fill) for ink in (theme.ink, theme.quiet) for fill in fills]
    pairs += [(theme.ink, fill) for fill in theme.tints.values()]
    pairs += [(theme.quiet, fill) for fill in theme.tints.values()]
    for ink, fill in pairs:
        bright, dark = sorted(map(_luminance, (ink, fill)), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) >= 4.5, (ink, fill)


@pytest.mark.parametrize("view", WITHOUT_TORCH)
def test_every_view_in_every_theme(view: str) -> None:
    pictures = set()
    for theme in THEMES:
        done = picture("specs/s2mlp_deep.arch", view, theme=theme)
        shown = Picture(done)
        assert shown.title and shown.description
        links = [one.get(LINK) or "" for one in shown.root.iter(f"{SVG}a")]
        assert not any("http" in link for link in links)
        pictures.add(done)
    assert len(pictures) == len(THEMES)


def test_views_without_torch(tmp_path: Path) -> None:
    program = (
        "import sys; from s2mlp_dsl.cli.app import app;"
        "app.main(sys.argv[1:], standalone_mode=False);"
        "assert 'torch' not in sys.modules"
    )
    for view in WITHOUT_TORCH:
        out = tmp_path / f"{view}.png"
        words = ["diagram", "specs/digits.arch", "--view", view, "-o", str(out)]
        subprocess.run([sys.executable, "-c", program, *words], cwd=ROOT, check=True)
        assert out.read_bytes().startswith(b"\x89PNG")


# As torch.fx gives a patch, a stack of a norm and a shift, and a head.
TRACED = [
    TracedNode("x", "placeholder", "placeholder", "", ()),
    TracedNode("permute", "call_method", ".permute", "patch", ("x",)),
    TracedNode("linear", "call_function", "linear", "patch", ("permute",)),
    TracedNode("norm", "call_module", "norm: LayerNorm", "stack.0-5.norm", ("linear",)),
    TracedNode("split", "call_function", "split", "stack.0-5.shift", ("norm",)),
    TracedNode("cat", "call_function", "cat", "stack.0-5.shift", ("split", "norm")),
    TracedNode("add", "call_function", "add", "stack.0-5", ("cat", "norm")),
    TracedNode("head", "call_module", "head: Linear", "head", ("add",)),
    TracedNode("output", "output", "output", "", ("head",)),
]


def test_golden_graph(golden: Callable[[Path, str], None]) -> None:
    text = draw_graph("m", TRACED, LIGHT).render("dot").decode()
    golden(GOLDEN / "traced.graph.dot", text)


def test_the_traced_graph(tmp_path: Path) -> None:
    """Which statement feeds which; what torch does inside one is not ours."""
    out = tmp_path / "graph.svg"
    spec = ROOT / "specs" / "digits.arch"
    assert s2mlp("diagram", spec, "--view", "graph", "-o", out).returncode == 0
    shown = Picture(out.read_bytes())
    assert shown.frames["stack.0-5"].texts == ["× 6"]
    assert {"patch", "stack.0-5.shift", "pool"} <= set(shown.frames)
    model = expanded("specs/digits.arch")
    leaves = {"norm": "LayerNorm", "head": "Linear"}
    leaves |= {f"stack.0-5.linear{n}": "Linear" for n in (1, 2, 3, 4)}
    names = {path.replace(".0-5.", "_0_"): path for path in leaves}
    for name, path in names.items():
        last = path.rpartition(".")[2]
        words = shown.boxes[name.replace(".", "_")].texts
        assert words == [f"{last}: {leaves[path]}"]
    heads = {edge.title.split("->")[1] for edge in shown.edges}
    assert set(shown.boxes) - heads == {"x"}
    assert shown.boxes["output"]
    nodes = trace(model, elaborate(spec).build(lowering="select"))
    assert len(nodes) == len(shown.boxes)
    owner = {one.name: one.statement for one in nodes}
    feeds = {
        (owner[tail], one.statement)
        for one in nodes
        for tail in one.inputs
        if owner[tail] != one.statement
    }
    # A chain in the order of the program, and the sums, which are of the block.
    block = "stack.0-5"
    ends = {f"{block}.norm1", f"{block}.norm2"}
    order = ["", *(one.path for one in occurrences(model)), ""]
    chain = {(a, b) for a, b in pairwise(order) if a not in ends}
    sums = {("norm", block), *((end, block) for end in ends)}
    assert feeds == chain | sums | {(block, f"{block}.linear3"), (block, "pool")}


PARAMS = '''"""The params of statements: a whole view."""

from graphviz import Digraph

from s2mlp_dsl.pictures.picture import Picture
from s2mlp_dsl.pictures.views import View


class Params(View):
    api = 1
    doc = "a node per statement with params"
    options = {"least": "Fewest params to show."}

    def draw(self, program, theme, least="1"):
        graph = Digraph(program.model.name, graph_attr={"bgcolor": theme.paper})
        for row in program.analysis.rows:
            if row.total_params >= int(least):
                graph.node(row.path, f"{row.total_params:,}")
        return Picture(graph, "params", "The params of each statement.")
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package as pip leaves it, with a view that works and one that does not."""
    info = tmp_path / "others-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: others\nVersion: 1.0\n"
    )
    entries = "params-bars = others:Params\nbroken = others:Nothing\n"
    (info / "entry_points.txt").write_text(f"[s2mlp_dsl.views]\n{entries}")
    (tmp_path / "others.py").write_text(PARAMS)
    monkeypatch.syspath_prepend(tmp_path)
    forget_packages()
    yield tmp_path
    monkeypatch.undo()
    forget_packages()
    sys.modules.pop("others", None)


def test_a_view_of_a_package_is_one_file(package: Path) -> None:
    program = elaborate(ROOT / "specs" / "digits.arch")
    text = program.diagram("params-bars", least="5000").render("dot").decode()
    assert "stack.0-5.linear3" in text and "head" not in text
    with pytest.raises(CannotDraw, match="'params-bars' has no option 'block'"):
        program.diagram("params-bars", block="s2mlp_block")
    assert program.diagram("model").render("dot")
    with pytest.raises(RegistrationError, match=r"`broken` of others 1\.0"):
        program.diagram("broken")


def test_the_command_knows_it(package: Path) -> None:
    """In a process that finds the package as it starts."""
    main = "from s2mlp_dsl.cli import main; main()"
    run = f"import sys; sys.path.insert(0, {str(package)!r}); {main}"
    words = ["specs/digits.arch", "--view", "params-bars", "--least", "5000"]
    for arguments, expected in (
        (["--help"], "params-bars: a node per statement with params"),
        (["--help"], "Fewest params to show."),
        (words, "stack.0-5.linear3"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", run, "diagram", *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert expected in " ".join(done.stdout.split())


def test_what_is_unknown_is_said_with_what_there_is() -> None:
    program = elaborate(ROOT / "specs" / "digits.arch")
    with pytest.raises(CannotDraw, match="unknown view 'nonsense'; use one of block, "):
        program.diagram("nonsense")
    with pytest.raises(CannotDraw, match="unknown theme 'pink'; use one of light, "):
        program.diagram("model", "pink")  # type: ignore[arg-type]
    with pytest.raises(CannotDraw, match="the view 'shift' has no option 'block'"):
        program.diagram("shift", block="s2mlp_block")


def test_wrong_choices_are_wrong_usage(tmp_path: Path) -> None:
    spec = tmp_path / "mixed.arch"
    spec.write_text(MIXED)
    done = s2mlp("diagram", spec, "--view", "block")
    assert done.returncode == 2
    assert "choose one with `--block`" in done.stderr


@pytest.mark.parametrize("view", ["model", "shift", "receptive-field"])
def test_pictures_in_the_docs_are_fresh(view: str) -> None:
    suffix = "" if view == "model" else f"_{view}"
    kept = ROOT / "docs" / f"s2mlp_deep{suffix}.svg"
    fresh = picture("specs/s2mlp_deep.arch", view)
    assert kept.read_bytes() == fresh, f"draw {kept.name} again (docs/diagrams.md)"
