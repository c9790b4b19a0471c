"""Groups of channels: exact shares and the remainder rules of `each`."""

import pytest

from s2mlp_dsl.ir.program import Op, Shift
from tests.checking import marked, model_of


def text(items: str, channels: int) -> str:
    return (
        f"edition 1\nshift s {{\n    edge keep\n{items}\n}}\n"
        f"model m {{\n    image({channels}, 4, 4)\n    shift(s)\n}}\n"
    )


def resolved(items: str, channels: int) -> Shift:
    op = model_of(text(items, channels)).body[1]
    assert isinstance(op, Op)
    ((_, shift),) = op.args
    assert isinstance(shift, Shift)
    return shift


def groups(items: str, channels: int) -> list[tuple[int, int, int]]:
    """(channels, right, down) of each group."""
    return [(g.channels, g.right, g.down) for g in resolved(items, channels).groups]


def test_the_paper() -> None:
    cross = "1/4 right\n1/4 left\n1/4 down\n1/4 up"
    assert groups(cross, 8) == [(2, 1, 0), (2, -1, 0), (2, 0, 1), (2, 0, -1)]


@pytest.mark.parametrize(
    ("items", "channels", "expected"),
    [
        ("1/2 right 2 up 1\nrest stay", 6, [(3, 2, -1), (3, 0, 0)]),
        ("2/dim right -1\nrest left 3", 7, [(2, -1, 0), (5, -3, 0)]),
        ("rest down 0", 5, [(5, 0, 0)]),
        ("25% right\n3/4 stay", 4, [(1, 1, 0), (3, 0, 0)]),
        ("0 right\nrest stay", 4, [(4, 0, 0)]),
        ("1 up\nrest stay", 4, [(4, 0, -1)]),
    ],
)
def test_shares(
    items: str, channels: int, expected: list[tuple[int, int, int]]
) -> None:
    assert groups(items, channels) == expected


def test_each_cuts_into_runs_the_last_one_shorter() -> None:
    """AS-MLP: 96 channels over five displacements."""
    sizes = [size for size, _, _ in groups("each right -2 .. 2", 96)]
    assert sizes == [20, 20, 20, 20, 16]
    assert [right for _, right, _ in groups("each right -2 .. 2", 96)] == [
        -2,
        -1,
        0,
        1,
        2,
    ]


def test_each_beside_a_rest_is_equal() -> None:
    assert [size for size, _, _ in groups("each right -1 .. 1\nrest stay", 64)] == [
        21,
        21,
        21,
        1,
    ]


def test_interleaved() -> None:
    """CycleMLP: channel c takes displacement c mod 3, 64 = 22 + 21 + 21."""
    shift = resolved("interleave\neach right -1 .. 1", 64)
    assert [g.channels for g in shift.groups] == [22, 21, 21]
    assert shift.interleaved == 3


def test_interleaved_beside_a_rest() -> None:
    """Wu's Shift: nine displacements of 64 channels, one is left."""
    shift = resolved("interleave\neach right -1 .. 1 down -1 .. 1\nrest stay", 64)
    assert [g.channels for g in shift.groups] == [7] * 9 + [1]
    assert shift.interleaved == 9
    # The product of the ranges, the last axis fastest.
    assert [(g.right, g.down) for g in shift.groups][:4] == [
        (-1, -1),
        (-1, 0),
        (-1, 1),
        (0, -1),
    ]


@pytest.mark.parametrize(
    ("items", "channels", "found"),
    [
        ("1/4 right\nrest stay", 6, ("A0203", "shift(s)")),
        ("1/4 right\n1/3 left\nrest stay", 16, ("A0203", "shift(s)")),
        ("1/4 right\n1/4 left", 8, ("A0421", "s")),
        ("3/4 right\n3/4 left", 8, ("A0421", "s")),
        ("-1/4 right\nrest stay", 8, ("A0421", "-1/4")),
        ("interleave\n1/4 right\n3/4 left", 8, ("A0421", "interleave")),
        ("each right -2 .. 2", 4, ("A0203", "shift(s)")),
        ("each right -2 .. 2", 6, ("A0203", "shift(s)")),
        ("each right 2 .. -2", 8, ("A0421", "right 2 .. -2")),
        ("1/2 right 1/2\nrest stay", 8, ("A0406", "1/2")),
        ("", 8, ("A0421", "s")),
    ],
)
def test_refused(items: str, channels: int, found: tuple[str, str]) -> None:
    assert marked(text(items, channels)) == [found]


def test_the_help_names_widths_that_fit_every_share() -> None:
    from tests.checking import diagnose

    (one,) = diagnose(text("1/4 right\n1/3 left\nrest stay", 16))
    assert one.help == "make the width a multiple of 12: 12 or 24"


EDGED = """edition 1
shift s(rule: enum = keep) {
    edge rule
    rest right
}
model m(rule: enum = circular) {
    image(2, 4, 4)
    shift(s)
    shift(s(replicate))
    shift(s(rule = rule))
}
"""


def test_the_edge_rule_may_be_a_parameter() -> None:
    _, *ops = model_of(EDGED).body
    shifts = [value for op in ops if isinstance(op, Op) for _, value in op.args]
    edges = [one.edge for one in shifts if isinstance(one, Shift)]
    assert edges == ["keep", "replicate", "circular"]


def test_a_parameter_that_is_no_edge_rule() -> None:
    found = marked(EDGED.replace("s(replicate)", "s(mirror)"))
    assert found == [("A0423", "rule")]
    number = EDGED.replace("rule: enum = keep", "rule = 1").replace(
        "s(replicate)", "s(2)"
    )
    assert marked(number.replace("s(rule = rule)", "s")) == [("A0405", "rule")]
