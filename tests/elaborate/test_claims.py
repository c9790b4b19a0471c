"""Claims: decided, or said to be undecided."""

import pytest

from s2mlp_dsl.analysis.analyze import check_spec
from tests.checking import diagnose, spec_of

HEAD = """edition 1
shift cross {
    edge keep
    1/4 right
    1/4 left
    1/4 down
    1/4 up
}
shift far {
    edge keep
    1/2 right 2
    rest left 2
}
shift far_zero {
    edge zeros
    1/2 right 2
    rest left 2
}
shift far_replicate {
    edge replicate
    1/2 right 2
    rest left 2
}
shift diagonal {
    edge keep
    rest right up
}
shift round {
    edge circular
    rest right
}
model m {
    image(3, 8, 8)
    stem: patch(4, 8)
    stack 2 {
        residual {
            mix: linear(dim)
            shift(cross)
        }
    }
    pool(mean)
    head: linear(10)
}
"""
STEM, MIX, LAST = 3 * 16 * 8 + 8, 8 * 8 + 8, 8 * 10 + 10


def verdict(fact: str) -> tuple[str, list[str]]:
    """The verdict and the codes that `check` reports."""
    checked = check_spec(spec_of(f"{HEAD}claim m {{\n    {fact}\n}}\n"))
    (analysis,) = checked.analyses
    (claim,) = analysis.claims
    assert analysis.holds == (claim.verdict == "holds")
    return claim.verdict, [one.code.number for one in checked.report]


@pytest.mark.parametrize(
    "fact",
    [
        f"params() == {STEM + 2 * MIX + LAST}",
        f"params(of = mix) == {2 * MIX}",
        f"params(of = [stem, head]) == {STEM + LAST}",
        f"params(without = head) == {STEM + 2 * MIX}",
        f"params(of = op(linear), without = [head]) == {2 * MIX}",
        "params(without = [op(linear), op(patch)]) == 0",
        f"macs(of = stem) == {4 * 48 * 8}",
        f"macs(of = mix) == {2 * 4 * 64}",
        "flops() == 2 * macs()",
        "params() > 600",
        "params() != 1",
        "params() ~= 0.6K",
        "params() / 2 <= 1K",
        "params() ~= 550 within 15%",
        "params() ~= 500 + 100 within 100 / 2",
        "macs() ~= 1.7K within 2Ki",
        "shape() == [10]",
        "shape(stem) == [2, 2, 8]",
        "shape(of = mix) == [2, 2, 8]",
        "shape(stem) != [2, 2, 9]",
        "shape(stem)[2] / 2 == 4",
        "receptive_field(after = 1) == [3, 3]",
        "receptive_field(after = 1)[0] < 4",
        "receptive_field() == [4, 4]",
        "full_receptive_field == 2",
        "instance(shift(cross), of = depthwise(3, edge = replicate), on = [14, 14, 8])",
        "instance(shift(none), of = depthwise(1), on = [3, 3, 2])",
        "instance(shift(none), of = linear(4), on = [3, 3, 4])",
        "instance(shift(far_zero), of = depthwise(5), on = [6, 6, 4])",
        "instance(shift(far_replicate), "
        "of = depthwise(5, edge = replicate), on = [6, 6, 4])",
        "instance(shift(round), of = depthwise(3, edge = circular), on = [4, 4, 2])",
        "instance(shift(cross), of = shift(cross), on = [4, 4, 4])",
    ],
)
def test_holds(fact: str) -> None:
    assert verdict(fact) == ("holds", [])


@pytest.mark.parametrize(
    "fact",
    [
        "params() == 1",
        "params() < 600",
        "params() ~= 0.7K",
        "params() ~= 550 within 5%",
        "params() ~= 0.6K within 9",
        "shape(stem) == [2, 2, 9]",
        "shape(stem) == 8",
        "receptive_field(after = 1) == [3, 4]",
        "full_receptive_field == none",
        "full_receptive_field == 1",
        # A position at the edge keeps its own value: no zero edge does that.
        "instance(shift(cross), of = depthwise(3, edge = zeros), on = [14, 14, 8])",
        # keep and clamp agree for one step along one axis, and only there.
        "instance(shift(far), of = depthwise(5, edge = replicate), on = [6, 6, 4])",
        "instance(shift(diagonal), "
        "of = depthwise(3, edge = replicate), on = [4, 4, 2])",
        # The kernel is too small, or the map lies the other way round.
        "instance(shift(far_replicate), "
        "of = depthwise(3, edge = replicate), on = [6, 6, 4])",
        "instance(shift(cross), of = linear(8), on = [4, 4, 8])",
        "instance(shift(cross), of = shift(none), on = [4, 4, 8])",
    ],
)
def test_fails(fact: str) -> None:
    assert verdict(fact) == ("fails", ["A0501"])


@pytest.mark.parametrize(
    ("fact", "code"),
    [
        ("instance(gelu, of = depthwise(3), on = [4, 4, 2])", "A0502"),
        ("instance(depthwise(3), of = depthwise(5), on = [4, 4, 2])", "A0502"),
        ("instance(shift(cross), of = norm(layer), on = [4, 4, 4])", "A0502"),
        ("instance(shift(cross), of = linear(999), on = [99, 99, 4])", "A0502"),
        ("params()", "A0504"),
        ("3", "A0504"),
        ("params() + 1", "A0504"),
        ("params() ~= 1 + 1", "A0504"),
        ("params() ~= 1K within -1", "A0504"),
        ("params() ~= 1K within stem", "A0301"),
        ("shape(stem) ~= 3", "A0405"),
        ("shape(stme) == [1]", "A0505"),
        ("shape(3) == [1]", "A0504"),
        ("shape(op(linear)) == [1]", "A0504"),
        ("shape(stem, head) == [1]", "A0401"),
        ("receptive_field(after = 3) == [1, 1]", "A0508"),
        ("receptive_field(after = 0) == [1, 1]", "A0406"),
        ("receptive_field(1, content, 4) == [1, 1]", "A0401"),
        ("instance(shift(cross))", "A0504"),
        ("instance(shift(cross), of = linear(4), on = 3)", "A0504"),
        ("instance(3, of = linear(4), on = [4, 4, 4])", "A0506"),
        ("params(of = nothing) == 1", "A0505"),
        ("params(of = linear) == 1", "A0505"),
        ("params(of = op(nothing)) == 1", "A0506"),
        ("params(of = 3) == 1", "A0504"),
        ("params(off = head) == 1", "A0402"),
        ("parms() == 1", "A0301"),
        ("full_raech == 1", "A0301"),
        ("instance(shift(crss), of = linear(4), on = [4, 4, 4])", "A0301"),
        ("instance(shift(cross), of = linear(4), on = [4, 4, 6])", "A0203"),
        ("instance(shift(cross), of = linear(4), on = [0, 4, 4])", "A0406"),
        ("instance(shift(cross), linear(4), [4, 4, 4], 3)", "A0401"),
    ],
)
def test_undecided(fact: str, code: str) -> None:
    assert verdict(fact) == ("undecided", [code])


def notes(fact: str) -> tuple[str, ...]:
    (one,) = diagnose(f"{HEAD}claim m {{\n    {fact}\n}}\n")
    assert one.code.number == "A0501"
    return one.notes


STEM_MACS, MIX_MACS, LAST_MACS = 4 * 48 * 8, 4 * 64, 80


@pytest.mark.parametrize(
    ("fact", "from_where"),
    [
        (f"params() == {STEM + 2 * MIX}", "that is what head has"),
        (f"params() == {2 * MIX}", "that is what stem and head have"),
        (f"macs() == {STEM_MACS}", "that is what op(linear) has"),
        (f"flops() == {2 * STEM_MACS}", "that is what op(linear) has"),
        (f"macs() == {STEM_MACS + 2 * MIX_MACS}", "that is what head has"),
        (
            f"params(of = stem) == {STEM + LAST}",
            "that is what head has, which is not counted here",
        ),
        (
            f"params() == {STEM + 3 * MIX + LAST}",
            "that is what 1 iteration of `stack` has",
        ),
        (
            f"macs(without = head) == {STEM_MACS + 5 * MIX_MACS}",
            "that is what 3 iterations of `stack` have",
        ),
        (
            "macs() == 1",
            f"it is made of op(patch) {STEM_MACS:,}, "
            f"op(linear) {2 * MIX_MACS + LAST_MACS}",
        ),
        (f"macs(of = stem) < {STEM_MACS}", "it is made of op(patch) 1,536"),
        (f"params() ~= {STEM + 2 * MIX} within 1", "that is what head has"),
    ],
)
def test_where_the_difference_comes_from(fact: str, from_where: str) -> None:
    assert notes(fact)[1:] == (from_where,)


def test_by_how_much_they_differ() -> None:
    (one,) = diagnose(f"{HEAD}claim m {{\n    params() == {STEM + 2 * MIX}\n}}\n")
    assert one.notes[0] == f"they differ by {LAST}"
    assert one.help is not None and f"params() == {STEM + 2 * MIX + LAST}" in one.help
    assert notes("params() / 2 == 1") == ("they differ by 312",)
    assert notes("shape(stem) == [1]") == ()


CONTENT = """edition 1
shift east {
    edge zeros
    rest right
}
model m {
    image(4, 4, 4)
    stack 2 {
        norm(group, groups = 2)
        parallel(copy, merge = split_attention(hidden = 2)) {
            branch { shift(east) }
            branch { }
        }
    }
}
claim m {
    receptive_field(after = 1) == [16, 16]
    receptive_field(after = 1, through = content) == [1, 2]
    receptive_field(through = content) == [1, 3]
}
"""


def test_receptive_field_through_content() -> None:
    """Statistics and fuse weights see everything; what is moved does not."""
    assert diagnose(CONTENT) == []
    wrong = CONTENT.replace("= content) == [1, 3]", "= contents) == [1, 3]")
    (one,) = diagnose(wrong)
    assert (one.code.number, one.primary.span.text) == ("A0504", "contents")


def test_shapes_that_differ() -> None:
    text = """edition 1
model m {
    image(3, 8, 8)
    one: stack 2 {
        two: residual { three: linear(3) }
    }
    three: linear(4)
}
claim m {
    shape(one) == [8, 8, 3]
    shape(two) == [8, 8, 3]
    shape(three) == [8, 8, 3]
}
"""
    (one,) = diagnose(text)
    assert (one.code.number, one.primary.span.text) == ("A0507", "three")
    assert [label.text for label in one.secondary] == [
        "the output is 8 × 8 × 3",
        "the output is 8 × 8 × 4",
    ]


def test_printed_figures_round_half_a_digit() -> None:
    (one,) = diagnose(f"{HEAD}claim m {{\n    params() ~= 0.7K\n}}\n")
    assert (
        "± 50" in one.notes[0]
        and f"off by {700 - STEM - 2 * MIX - LAST}" in (one.notes[0])
    )


def test_claims_of_an_open_model() -> None:
    text = """edition 1
model open(width) {
    image(3, 8, 8)
    linear(width)
}
claim open {
    params() == 1
    instance(shift(none), of = depthwise(3), on = [4, 4, 2])
}
"""
    checked = check_spec(spec_of(text))
    (analysis,) = checked.analyses
    assert [one.verdict for one in analysis.claims] == ["undecided", "holds"]
    (one,) = checked.report
    assert one.code.number == "A0502" and "unbound parameters: `width`" in one.message
    (analysis,) = check_spec(spec_of(text), settings={"width": "4"}).analyses
    assert [one.verdict for one in analysis.claims] == ["fails", "holds"]
