"""As many errors as there are mistakes, on the right characters, with help."""

import pytest

from tests.checking import diagnose, marked

HEAD = """edition 1
shift cross(step = 1) {
    edge keep
    1/4 right step
    1/4 left step
    1/4 down step
    1/4 up step
}
block mix(ratio = 2, via = cross, kind: enum = layer) {
    residual {
        norm(kind)
        linear(ratio * dim)
        shift(via)
        linear(dim)
    }
}
"""


def model(body: str, params: str = "") -> str:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return f"{HEAD}model m{params} {{\n    image(3, 8, 8)\n{lines}\n}}\n"


def test_what_they_start_from_is_right() -> None:
    assert marked(model("linear(8)\nmix\nmix(4, none, affine)")) == []


def test_three_mistakes_three_errors() -> None:
    """One in the text, one in a name, one in a shape, in different declarations."""
    text = """edition 1
let width = 4 4
block b {
    lineer(dim)
}
model m {
    image(3, 8, 8)
    residual {
        linear(2 * dim)
    }
}
"""
    assert marked(text) == [
        ("A0101", "4"),
        ("A0302", "lineer"),
        ("A0204", "linear(2 * dim)"),
    ]


def test_mistakes_of_one_model() -> None:
    """A residual leaves what entered it, so the statements after it are checked."""
    text = model(
        """residual {
    linear(2 * dim)
}
residual {
    norm(3)
    depthwise(2)
}
patch(3, 8)"""
    )
    assert marked(text) == [
        ("A0204", "linear(2 * dim)"),
        ("A0407", "3"),
        ("A0202", "3"),
    ]


def test_mistakes_of_one_call() -> None:
    assert marked(model("linear(8)\nmix(ratio = 1 / 0, via = 3, kind = 4)")) == [
        ("A0408", "0"),
        ("A0405", "3"),
        ("A0405", "4"),
    ]


def test_one_cause_seen_from_two_calls_is_one_error() -> None:
    text = model("linear(3)\nmix\nmix\nstack 3 { mix }")
    assert marked(text) == [("A0203", "shift(via)")]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("lineer(8)", [("A0302", "lineer")]),
        ("linear(widht)", [("A0301", "widht")]),
        ("linear(8, bias = of)", [("A0407", "of")]),
        ("norm(laier)", [("A0407", "laier")]),
        ("pool(median)", [("A0407", "median")]),
        ("norm", [("A0404", "norm")]),
        ("norm(layer, 1, 2, 3)", [("A0401", "3")]),
        ("shift(cros)", [("A0301", "cros")]),
        ("shift(cross(2, 3))", [("A0401", "3")]),
        ("shift(cross(steps = 2))", [("A0402", "steps")]),
        ("shift(mix)", [("A0306", "mix")]),
        ("linear(8)\nmix(via = layer)", [("A0301", "layer")]),
        ("linear(8)\nmix(kind = bach)", [("A0407", "kind")]),
        ("linear(cross)", [("A0405", "cross")]),
        ("m", [("A0306", "m")]),
        ("stack 0 { gelu }", [("A0406", "0")]),
        ("stack 1.5 { gelu }", [("A0406", "1.5")]),
        ("stack cross { gelu }", [("A0405", "cross")]),
        ("linear(foo(bar))", [("A0301", "foo")]),
        ("linear(min())", [("A0404", "min()")]),
        ("linear(floor(1, 2))", [("A0401", "2")]),
        ("linear(choose(1, 2, 3))", [("A0405", "1")]),
        ("linear([8][1])", [("A0409", "1")]),
        ("linear(8[0])", [("A0405", "8")]),
        ("linear(-8)", [("A0406", "-8")]),
        ("linear((1 == 1) + 1)", [("A0405", "(1 == 1)")]),
        ("linear(0)", [("A0406", "0")]),
        ("pool(mean)\nshift(cross)", [("A0201", "shift(cross)")]),
        ("linear(8)\nstack 2 as dim { gelu }", [("A0305", "dim")]),
        ("linear(8)\nstack 2 as up { gelu }", [("A0304", "up")]),
        ("stay: gelu", [("A0304", "stay")]),
        ("residual {\n}", [("A0205", "{\n    }")]),
    ],
)
def test_one_mistake_in_a_body(body: str, found: list[tuple[str, str]]) -> None:
    assert marked(model(body)) == found


@pytest.mark.parametrize(
    ("declaration", "found"),
    [
        ("let a = b", [("A0301", "b")]),
        ("let a = a", [("A0307", "a")]),
        ("let a = 1 / 0", [("A0408", "0")]),
        ("let cross = 1", [("A0303", "cross")]),
        ("let norm = 1", [("A0305", "norm")]),
        ("let edge = 1", [("A0304", "edge")]),
        ("let none = 1", [("A0305", "none")]),
        ("block a(x, x) { gelu }", [("A0303", "x")]),
        ("block a(x: nmber) { gelu }", [("A0411", "nmber")]),
        ("block a(x = y) { gelu }", [("A0301", "y")]),
        ("block a(x: number = cross) { gelu }", []),  # used by nobody
        ("block a { b }\nblock b { a }", [("A0307", "a")]),
        ("block a {\n}", [("A0205", "{\n}")]),
        ("shift s { edge keep\n1/2 later\nrest stay }", []),  # for clips
        ("shift s { edge keep\nrest right 1 left 1 }", [("A0424", "left 1")]),
        ("shift s { edge keep\nedge zeros\nrest stay }", [("A0424", "edge zeros")]),
        ("shift s { rest stay }", [("A0422", "s")]),
        ("shift s { edge kep\nrest stay }", [("A0423", "kep")]),
        ("model v = mm()", [("A0301", "mm")]),
        ("model v = mix()", [("A0306", "mix")]),
        ("model v = v", [("A0307", "v")]),
        ("model v = base(1)\nmodel base { image(3, 8, 8) }", [("A0401", "1")]),
        (
            "model v = base(w = x)\nmodel base(w, d) { image(w, d, d) }",
            [("A0301", "x")],
        ),
        ('import a from "none.arch"\nlet b = a', [("A0702", '"none.arch"')]),
        ("claim nobody { params() == 1 }", [("A0503", "nobody")]),
        ("recipe r { data = digits\nepochs = 1\nbatch = 0 }", [("A0602", "0")]),
    ],
)
def test_one_mistake_in_a_declaration(
    declaration: str, found: list[tuple[str, str]]
) -> None:
    assert marked(HEAD + declaration + "\n") == found


def test_the_calls_that_led_there() -> None:
    """A mistake inside a block shows the call, and the variant behind it."""
    text = model("linear(width)\nmix", "(width = 8)") + "model narrow = m(width = 5)\n"
    (one,) = diagnose(text)
    assert (one.code.number, one.primary.span.text) == ("A0203", "shift(via)")
    assert [(label.span.text, label.text) for label in one.secondary] == [
        ("1/4", "1/4 of 10 channels is 2.5"),
        ("mix", "in this call"),
        ("m(width = 5)", "in this call"),
    ]
