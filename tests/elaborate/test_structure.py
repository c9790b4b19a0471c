"""Branches, scopes, pieces and time: what they come to, and what is wrong."""

import pytest

from s2mlp_dsl.ir.hash import function_hash
from s2mlp_dsl.ir.program import Op, Parallel, Region
from s2mlp_dsl.ir.shape import Map, Tokens, Vector
from tests.checking import analysis_of, diagnose, marked, model_of

HEAD = """edition 1
shift aside(step = 1) {
    edge zeros
    1/2 right step
    rest stay
}
shift temporal {
    edge zeros
    1/4 earlier 2
    rest later
}
block mixed(mixing: block = none, width = dim_) {
    residual {
        norm(layer)
        apply(mixing)
    }
}
let dim_ = 8
"""


def model(body: str, params: str = "") -> str:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return f"{HEAD}model m{params} {{\n    image(8, 4, 6)\n{lines}\n}}\n"


def last(body: str) -> object:
    return model_of(model(body)).body[-1]


# branches

TWO = "parallel({}) {{\nbranch {{\n{}\n}}\nbranch {{\n{}\n}}\n}}"


def test_split_gives_each_branch_its_part() -> None:
    found = last(TWO.format("split, merge = concat", "linear(dim)", "linear(3 * dim)"))
    assert isinstance(found, Parallel)
    assert found.parts == (4, 4)
    assert (
        found.merge.source == found.merge.result == Map(height=4, width=6, channels=16)
    )


def test_copy_gives_each_branch_all() -> None:
    found = last(TWO.format("copy, merge = sum", "", "linear(dim)"))
    assert isinstance(found, Parallel)
    assert found.parts == () and found.branches[0] == ()
    assert found.merge.result == Map(height=4, width=6, channels=8)


def test_the_width_of_a_merge_is_that_around_it() -> None:
    body = "linear(24)\n" + TWO.format(
        "split, merge = split_attention(hidden = dim / 2)", "", ""
    )
    found = last("residual {\n" + body + "\nlinear(8)\n}")
    assert found.body[1].merge.args[1] == ("hidden", 4)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "params, argument", [("how: enum = sum", "how"), ("how: block = sum", "how")]
)
def test_a_merge_may_be_a_parameter(params: str, argument: str) -> None:
    body = TWO.format(f"copy, merge = {argument}", "", "gelu")
    text = (
        f"{HEAD}block b({params}) {{\n{body}\n}}\nmodel m {{\nimage(8, 4, 6)\nb\n}}\n"
    )
    if "block" in params:  # merging is not a statement
        assert marked(text)
    else:
        assert marked(text) == []


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (
            "parallel(copy, merge = sum) {\nbranch { }\n}",
            [("A0213", "parallel(copy, merge = sum)")],
        ),
        ("parallel(copy, merge = sum) { }", [("A0213", "parallel(copy, merge = sum)")]),
        (TWO.format("copy", "", ""), [("A0404", "parallel(copy)")]),
        (TWO.format("merge = sum", "", ""), [("A0404", "parallel(merge = sum)")]),
        (TWO.format("", "", ""), [("A0404", "parallel()")]),
        (TWO.format("copy, merge = sun", "", ""), [("A0407", "sun")]),
        (TWO.format("copy, merge = gelu", "", ""), [("A0407", "gelu")]),
        (TWO.format("copy, merge = 3", "", ""), [("A0407", "3")]),
        (TWO.format("copied, merge = sum", "", ""), [("A0407", "copied")]),
        (TWO.format("copy, merge = sum(2)", "", ""), [("A0401", "2")]),
        (
            TWO.format("copy, merge = split_attention", "", ""),
            [("A0404", "split_attention")],
        ),
        (
            "linear(7)\n" + TWO.format("split, merge = sum", "", ""),
            [("A0213", "split")],
        ),
        (TWO.format("copy, merge = sum", "linear(4)", ""), [("A0213", "branch")]),
        (
            TWO.format("copy, merge = concat", "patch(2, 8)", "gelu"),
            [("A0213", "gelu")],
        ),
        (
            TWO.format("copy, merge = sum", "linear(x)", "norm(y)"),
            [("A0301", "x"), ("A0407", "y")],
        ),
        (
            TWO.format("copy, merge = sum", "shift(aside(1 / 0))", "patch(3, 8)"),
            [("A0408", "0"), ("A0202", "3")],
        ),
        ("sum", [("A0302", "sum")]),
        ("branch { }", [("A0101", "{")]),
        (TWO.format("copy, merge = sum", "a: gelu", "a: gelu"), [("A0308", "a")]),
    ],
)
def test_wrong_branches(body: str, found: list[tuple[str, str]]) -> None:
    assert marked(model(body)) == found
    assert all(one.help for one in diagnose(model(body)))


# scopes


def test_fold_puts_the_axes_back() -> None:
    found = last('fold("y (x a) c -> c x (y a)", a = 2) {\nlinear(dim)\n}')
    assert isinstance(found, Region)
    assert found.enter.result == Map(height=8, width=3, channels=8)
    assert found.leave.result == Map(height=4, width=6, channels=8)


def test_a_single_last_axis_may_change() -> None:
    found = last('fold("y x c -> c x y") {\nlinear(2)\n}')
    assert found.leave.result == Map(height=2, width=6, channels=8)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("pattern", "shape"),
    [
        ("y x c -> (y x) c", Tokens(count=24, channels=8)),
        ("y x c -> (c y x)", Vector(channels=192)),
        ("y x (t c=2) -> t y x c", Map(time=4, height=4, width=6, channels=2)),
    ],
)
def test_rearranged(pattern: str, shape: object) -> None:
    assert last(f'rearrange("{pattern}")').result == shape  # type: ignore[attr-defined]


def test_a_fold_computes_what_its_two_operators_do() -> None:
    folded = model('fold("y x c -> c (y x)") {\nlinear(dim)\n}')
    spelled = model(
        'rearrange("y x c -> c (y x)")\nlinear(24)\nrearrange("c (y x=6) -> y x c")'
    )
    assert function_hash(model_of(folded)) == function_hash(model_of(spelled))


def test_pad_lengthens_and_crops() -> None:
    found = last("pad(y, multiple = 3, edge = circular) {\ndepthwise(3)\n}")
    assert isinstance(found, Region)
    assert found.enter.result == Map(height=6, width=6, channels=8)
    assert found.leave.result == Map(height=4, width=6, channels=8)
    enough = last("pad(x, multiple = 3, edge = zeros) {\ngelu\n}")
    assert enough.enter.result == Map(height=4, width=6, channels=8)  # type: ignore[attr-defined]


FOLD = 'fold("{}") {{\nlinear(dim)\n}}'


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('flod("y x c -> c y x") {\ngelu\n}', [("A0302", "flod")]),
        ("linear(3) {\ngelu\n}", [("A0302", "linear")]),
        ("mixed(none) {\ngelu\n}", [("A0302", "mixed")]),
        ("fold() {\ngelu\n}", [("A0404", "fold()")]),
        ("fold(3) {\ngelu\n}", [("A0405", "3")]),
        ("fold(pattern) {\ngelu\n}", [("A0301", "pattern")]),
        ('fold("y x c -> c y x") {\n}', [("A0205", "{\n    }")]),
        (FOLD.format("y x c"), [("A0211", '"y x c"')]),
        (FOLD.format("y x c -> y x"), [("A0211", '"y x c -> y x"')]),
        (FOLD.format("y x c -> y x c c"), [("A0211", '"y x c -> y x c c"')]),
        (FOLD.format("y x c -> (y x c"), [("A0211", '"y x c -> (y x c"')]),
        (FOLD.format("y x c -> y)( x c"), [("A0211", '"y x c -> y)( x c"')]),
        (FOLD.format("y x c -> y * x c"), [("A0211", '"y x c -> y * x c"')]),
        (FOLD.format("y x c -> y () x c"), [("A0211", '"y x c -> y () x c"')]),
        (FOLD.format("(y a) x c -> y a x c"), [("A0211", '"(y a) x c -> y a x c"')]),
        (
            FOLD.format("(y a=3) x c -> y a x c"),
            [("A0211", '"(y a=3) x c -> y a x c"')],
        ),
        (FOLD.format("y=3 x c -> y x c"), [("A0211", '"y=3 x c -> y x c"')]),
        (FOLD.format("a b c d -> a b c d"), [("A0211", '"a b c d -> a b c d"')]),
        ('fold("(y a) x c -> y x (a c)", b = 2) {\ngelu\n}', [("A0402", "b")]),
        ('fold("(y a=2) x c -> y x (a c)", a = 2) {\ngelu\n}', [("A0403", "a = 2")]),
        ('fold("y x c -> c (y x)") {\nlinear(3)\n}', [("A0212", "linear(3)")]),
        ('fold("y x c -> c (y x)") {\npool(mean)\n}', [("A0212", "pool(mean)")]),
        ("pad(z, multiple = 2, edge = zeros) {\ngelu\n}", [("A0301", "z")]),
        ("pad(y, multiple = 2, edge = keep) {\ngelu\n}", [("A0407", "keep")]),
        ("pad(y, 3, zeros) {\npatch(2, 8)\n}", [("A0212", "patch(2, 8)")]),
        ("pool(mean)\npad(y, 3, zeros) {\ngelu\n}", [("A0201", "pad(y, 3, zeros)")]),
        ("crop(y, 9)", [("A0212", "9")]),
    ],
)
def test_wrong_scopes(body: str, found: list[tuple[str, str]]) -> None:
    if body.startswith("pad(z"):
        found = [("A0407", "z")]
    assert marked(model(body)) == found
    assert all(one.help for one in diagnose(model(body)))


# pieces


def names(body: str, params: str = "") -> list[str]:
    """The operators of all definitions of a model, in order."""
    made = model_of(model(body, params))
    inside = [one for block in made.blocks for one in block.body[0].body]  # type: ignore[union-attr]
    return [one.operator if isinstance(one, Op) else one.kind for one in inside]


def test_pieces_stand_where_they_are_applied() -> None:
    assert names("mixed") == ["norm"]
    assert names("mixed(shift(aside(2)))") == ["norm", "shift"]
    assert names("mixed(mixed(gelu))") == ["norm", "gelu", "norm", "call"]


def test_equal_pieces_are_one_definition() -> None:
    made = model_of(model("mixed(gelu)\nmixed(mixing = gelu)\nmixed(depthwise(3))"))
    assert [block.name for block in made.blocks] == ["mixed", "mixed_2"]


def test_a_piece_sees_the_place_that_writes_it() -> None:
    body = "stack 2 as i {\nmixed(shift(aside(i)))\n}"
    made = model_of(model(body))
    steps = [block.body[0].body[1].args[0][1].groups[0].right for block in made.blocks]  # type: ignore
    assert steps == [0, 1]


def test_a_model_takes_a_piece() -> None:
    text = model("mixed(mixing)", "(mixing: block = none)")
    assert analysis_of(text).params == 16
    with_linear = model_of(text, mixing="depthwise(3)")
    assert len(with_linear.blocks[0].body[0].body) == 2  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("mixed(3)", [("A0405", "3")]),
        ("mixed(nothing)", [("A0302", "nothing")]),
        ("mixed(linaer(8))", [("A0302", "linaer")]),
        ("mixed(depthwise(2))", [("A0206", "2")]),
        ("mixed(linear(dim))", [("A0410", "dim")]),
        ("mixed(aside)", [("A0306", "aside")]),
        ("apply", [("A0404", "apply")]),
        ("apply(gelu, gelu)", [("A0401", "apply(gelu, gelu)")]),
        ("residual {\napply(none)\n}", [("A0205", "{\n    apply(none)\n    }")]),
        ("apply(depthwise(3))", []),
    ],
)
def test_wrong_pieces(body: str, found: list[tuple[str, str]]) -> None:
    assert marked(model(body)) == found


def test_a_block_that_applies_itself_is_refused() -> None:
    text = f"{HEAD}block b(p: block) {{\napply(p)\n}}\nblock c {{\nb(c)\n}}\n"
    text += "model m {\nimage(8, 4, 6)\nc\n}\n"
    assert [code for code, _ in marked(text)] == ["A0307"]


# time


def clip(body: str) -> str:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return f"{HEAD}model m {{\n    video(3, 4, 6, 6)\n{lines}\n}}\n"


def test_frame_by_frame_unless_time_is_named() -> None:
    made = model_of(clip("patch(2, 4)\nshift(temporal)\npool(max)"))
    assert [str(one.result) for one in made.body] == [  # type: ignore[union-attr]
        "4 × 6 × 6 × 3",
        "4 × 3 × 3 × 4",
        "4 × 3 × 3 × 4",
        "4",
    ]
    assert made.input_size == (3, 4, 6, 6)


def test_receptive_field_goes_through_time() -> None:
    body = "patch(2, 4)\nstack 3 {\nresidual {\nshift(temporal)\nlinear(dim)\n}\n}"
    receptive_field = analysis_of(clip(body)).receptive_field
    assert receptive_field is not None and receptive_field.grid == (4, 3, 3)
    # A frame is reached from itself and from frames before and after it alone.
    assert receptive_field.steps[-1].most == 4


def test_an_image_has_no_time() -> None:
    assert marked(model("shift(temporal)")) == [("A0425", "temporal")]
