"""Small specs, made up: every construct, in any order that has a shape."""

from hypothesis import strategies as st

HEAD = """edition 1
shift cross(step = 1) {
    edge keep
    1/4 right step
    1/4 left step
    1/4 down step
    1/4 up step
}
shift mixed {
    edge reflect
    interleave
    each right -1 .. 1
    rest stay
}
block mix(ratio = 2, via = cross, kind: enum = layer) {
    residual {
        norm(kind)
        linear(ratio * dim)
        gelu
        shift(via)
        linear(dim)
    }
}
block via(piece: block = none) {
    norm(affine)
    apply(piece)
}
\"\"\"Two of them, and a name that Python needs.\"\"\"
block pair(ratio) {
    mix(ratio)
    lambda: linear(dim)
    mix(ratio + 1, mixed, affine)
}
"""

words = st.sampled_from(["layer", "affine"])
shifts = st.sampled_from(["cross", "cross(2)", "cross(step = -1)", "mixed", "none"])
widths = st.sampled_from(["4", "8", "12", "dim", "2 * dim"])

simple = st.one_of(
    st.builds("linear({})".format, widths),
    st.builds("linear({}, bias = off)".format, widths),
    st.builds("norm({})".format, words),
    st.builds("norm(layer, eps = 1/{})".format, st.integers(1, 9)),
    st.builds("shift({})".format, shifts),
    st.builds(
        "depthwise({}, edge = {})".format,
        st.sampled_from([1, 3]),
        st.sampled_from(["zeros", "replicate", "circular", "reflect"]),
    ),
    st.builds("mix({}, {}, {})".format, st.integers(1, 3), shifts, words),
    st.builds("pair({})".format, st.integers(1, 2)),
    st.just("gelu"),
    st.just("patch(1, 8)"),
)


def _labelled(statements: list[str], labels: bool) -> list[str]:
    names = ("train", "class", "x_", "linear1", "_y", "stack1")
    if not labels:
        return statements
    return [
        f"{names[n]}: {one}" if n < len(names) and n % 2 else one
        for n, one in enumerate(statements)
    ]


def _lines(statements: list[str]) -> str:
    return "\n".join(statements)


RESIDUAL = "residual {{\nnorm({})\nshift({})\nlinear(12)\nlinear(dim)\n}}"
STACK = "stack {} {{\n{}\n}}"
STAGES = """stack {} as i {{
{}
linear(4 * (1 + mod(i, 2)))
}} then 2 {{
{}
}}"""


MERGES = ("sum", "mean", "multiply", "split_attention(3, mean)")
SPLIT = """parallel(split, merge = {}) {{
branch {{ }}
branch {{
{}
linear(6)
}}
branch {{
linear(dim)
}}
}}"""
SPLIT = "linear(18)\n" + SPLIT
COPY = """parallel(copy, merge = {}) {{
branch {{
{}
linear(12)
}}
branch {{
shift(mixed)
linear(12)
}}
}}"""
FOLDED = (
    "y x c -> c (y x)",
    "y (x z=1) c -> x (y z) c",
    "y x (a b=2) -> b y x a",
)
FOLD = """linear(12)
fold("{}") {{
norm(layer)
linear(dim)
}}
shift({})"""
PAD = """pad({}, multiple = {}, edge = reflect) {{
depthwise(3)
}}"""
PIECES = ("none", "depthwise(3)", "mix(1, mixed)", "shift(cross)", "via(gelu)")


def _structures(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    bodies = st.builds(_lines, st.lists(inner, min_size=1, max_size=3))
    return st.one_of(
        inner,
        st.builds(RESIDUAL.format, words, shifts),
        st.builds(STACK.format, st.integers(1, 3), bodies),
        st.builds(STAGES.format, st.integers(1, 4), bodies, bodies),
        st.builds(SPLIT.format, st.sampled_from(MERGES), bodies),
        st.builds(COPY.format, st.sampled_from([*MERGES, "concat"]), bodies),
        st.builds(FOLD.format, st.sampled_from(FOLDED), shifts),
        st.builds(PAD.format, st.sampled_from("xy"), st.integers(1, 4)),
        st.builds("via(piece = {})".format, st.sampled_from(PIECES)),
    )


statements = st.recursive(simple, _structures, max_leaves=8)


@st.composite
def specs(draw: st.DrawFn) -> str:
    """The text of a spec with one model, `m`."""
    body = draw(st.lists(statements, min_size=1, max_size=5))
    lines = _labelled(body, draw(st.booleans()))
    model = "model m {\nimage(3, 4, 5)\nlinear(8)\nwhole\n}\n"
    return f"{HEAD}block whole {{\n{_lines(lines)}\n}}\n{model}"
