"""`diff`, `compare` and `show`: what differs, and where it came from."""

import json
from pathlib import Path

import pytest

from tests.checking import model_of
from tests.cli.running import ROOT, s2mlp

DEEP, WIDE = "specs/s2mlp_deep.arch", "specs/s2mlp_wide.arch"
PAIR = """edition 1
let hidden = 16
block inner(width, kind: enum = layer) {
    linear(width)
    norm(kind)
}
block outer(width) {
    inner(width)
}
model one(width = 8) {
    image(3, 8, 8)
    stem: patch(2, width)
    stack 3 as i {
        outer(hidden)
        linear(dim + i)
    }
    head: linear(10)
}
model two = one(width = 12)
claim one {
    params(of = head) == 120
}
"""


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    path = tmp_path / "pair.arch"
    path.write_text(PAIR)
    return path


def diff(*arguments: str | Path) -> str:
    run = s2mlp("diff", *arguments)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_two_files() -> None:
    text = diff(DEEP, WIDE)
    for line in (
        "  params                53,917,288 → 72,241,384",
        "  full receptive field  after 26 → none",
        "  -        linear(384)",
        "  +        linear(768)",
        "weights: 1,000 params fit, by name and shape",
        "  ! stem.weight [384, 768] → [768, 768]",
        "  - stack.*.linear1.weight [384, 384]  ×24",
    ):
        assert line in text.splitlines()


def test_two_models_of_one_file(pair: Path) -> None:
    found = json.loads(
        diff(pair, "--model", "one", "--model", "two", "--format", "json")
    )
    facts = {one["name"]: one for one in found["facts"]}
    assert facts["image"]["same"] and facts["result"]["same"]
    assert not facts["params"]["same"] and not found["same_function"]
    (claim,) = found["claims"]
    assert claim["first"] == "holds, is 120" and claim["second"] == "not claimed"
    others = {one["name"] for one in found["weights"] if not one["compatible"]}
    # blocks are 16 wide in both; what reads the stem, and its sums, differ
    assert {"stem.weight", "stem.bias"} <= others
    assert "stack.*.outer.inner.norm.weight" not in others
    both = [one for one in found["weights"] if one["compatible"]]
    size = 0
    for one in both:
        scalars = one["count"]
        for side in one["first"]:
            scalars *= side
        size += scalars
    assert found["compatible_params"] == size > 0
    assert "-    stem: patch(2, 8)" in found["statements"]


def test_one_model_with_another_value() -> None:
    text = diff(DEEP, "--set", "via=none")
    assert "weights: all 53,917,288 params fit, by name and shape" in text
    assert "+        shift(none)" in text
    assert "figures\n  positions seen        196 to 196 of 196 → 1 to 1 of 196" in text


def test_what_is_the_same_in_meaning(tmp_path: Path, pair: Path) -> None:
    other = tmp_path / "other.arch"
    text = PAIR.replace("linear(dim + i)", "linear(i + dim)  # sum")
    other.write_text(text.replace("inner", "other").replace("claim", "# no\nclaim"))
    text = diff(pair, other, "--model", "one")
    assert "They compute the same function." in text
    assert "claims: the same" in text


@pytest.mark.parametrize(
    "arguments",
    [
        [DEEP],
        [DEEP, WIDE, "--model", "a", "--model", "b", "--model", "c"],
        [DEEP, WIDE, "--model", "nothing"],
        ["specs/s2mlp.arch", "--set", "width=32"],
        [DEEP, "none.arch"],
    ],
)
def test_usage(arguments: list[str]) -> None:
    run = s2mlp("diff", *arguments)
    assert run.returncode == 2 and run.stderr


def test_show_declared(pair: Path) -> None:
    run = s2mlp("show", pair, "--model", "two")
    assert run.stdout == f"# {pair}:19\nmodel two = one(width = 12)\n"


def test_show_expanded(pair: Path) -> None:
    run = s2mlp("show", "pair.arch", "--model", "two", "--expanded", cwd=pair.parent)
    assert run.returncode == 0, run.stderr
    lines = [line.strip() for line in run.stdout.splitlines()]
    shown = [line.replace("pair.arch:", "@") for line in lines if "  # " in line]
    inner = [
        # a name that is handed on leads to where its value is written
        "linear(16)  # @4 linear(width), width = 16 (@2)",
        "norm(layer)  # @5 norm(kind), kind = layer (@3)",
    ]
    assert shown == [
        *inner,
        "inner  # @8 inner(width), width = 16 (@2)",
        *inner,
        "inner_2  # @8 inner(width), width = 16 (@2)",
        "image(3, 8, 8)  # @11",
        "stem: patch(2, 12)  # @12 patch(2, width), width = 12 (@19)",
        "stack 1 {  # @13",
        "outer  # @14 outer(hidden), hidden = 16 (@2)",
        "linear(12)  # @15 linear(dim + i), dim = 12, i = 0",
        "outer  # @14 outer(hidden), hidden = 16 (@2)",
        "linear(13)  # @15 linear(dim + i), dim = 12, i = 1",
        "outer_2  # @14 outer(hidden), hidden = 16 (@2)",
        "linear(15)  # @15 linear(dim + i), dim = 13, i = 2",
        "head: linear(10)  # @17",
    ]


def test_what_is_shown_is_a_spec() -> None:
    """Comments apart, it is the program; it elaborates to the same model."""
    run = s2mlp("show", DEEP, "--expanded")
    again = model_of(run.stdout)
    assert again == model_of(
        (ROOT / "specs/s2mlp_deep.arch")
        .read_text()
        .replace('"s2mlp.arch"', '"std:s2mlp"')
    )
    assert "depth = 36 (specs/s2mlp_deep.arch:6)" in run.stdout
    assert "width = 384 (specs/s2mlp_deep.arch:6)" in run.stdout
    assert "patch = 16 (specs/s2mlp.arch:36)" in run.stdout


def test_compare_prints_table_1() -> None:
    found = s2mlp("compare", "specs/mlp_mixer.arch:mixer_s16", DEEP, "specs/vit.arch")
    assert found.returncode == 0, found.stderr
    lines = [" ".join(line.split()) for line in found.stdout.splitlines()]
    assert "mixer_s16 yes global specific agnostic 18,528,264 3,776,958,464" in lines
    assert "shift(cross) ×36 no local agnostic specific 4 of 196 – –" in lines
    assert "s2mlp_deep full (14 × 14) after 26 of 36 iterations" in lines
    assert "s2mlp_deep yes" in lines
    (bound,) = (line for line in lines if line.startswith("vit_b16 no:"))
    assert "`position.weight` is 197 × 768, and would be 785 × 768" in bound


def test_compare_as_json(pair: Path) -> None:
    found = s2mlp("compare", pair, f"{pair}:two", "--format", "json")
    one, two, again = json.loads(found.stdout)
    assert two | {"spec": ""} == again | {"spec": ""}
    assert one["row"] is None and one["bound_by"] is None and one["params"] > 0
    wide = s2mlp("compare", "specs/s2mlp.arch", "--set", "width=8", "--set", "depth=1")
    assert wide.returncode == 0 and "shift(cross)" in wide.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["specs/s2mlp.arch"], 2, "needs `width`, `depth`: --set width=… --set depth"),
        (["specs/recipes.arch"], 2, "recipes.arch has no model to compare"),
        (["specs/no_such.arch"], 2, "no_such.arch"),
        (["specs/vit.arch:vit_b17"], 2, "vit_b16"),
        ([], 2, "Missing argument"),
    ],
)
def test_compare_refuses(words: list[str], code: int, said: str) -> None:
    found = s2mlp("compare", *words)
    assert found.returncode == code and said in found.stderr


def test_compare_says_where_it_stops(tmp_path: Path) -> None:
    path = tmp_path / "wide.arch"
    path.write_text(
        "edition 1\nshift s {\nedge keep\n1/2 right\nrest stay\n}\n"
        "model wide {\nimage(40_000_000, 4, 4)\nshift(s)\n}\n"
    )
    run = s2mlp("compare", str(path))
    assert run.returncode == 2
    assert "`wide` has statements with too many channels" in run.stderr
