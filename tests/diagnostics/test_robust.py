"""No text explodes: each is refused or checked in under a second, without a bug.

Sizes are bounded by arithmetic before anything of that size is built.
"""

import time

import pytest

from s2mlp_dsl.diagnostics import render_text
from tests.checking import diagnose

HEAD = "edition 1\n"


def model(body: str, image: str = "3, 8, 8") -> str:
    return f"{HEAD}model m {{\n    image({image})\n{body}\n}}\n"


def chain(count: int, link: str, last: str) -> str:
    """Blocks b0, b1, …, each written as `link` with the next one's name."""
    blocks = [
        f"block b{i} {{\n{link.replace('NEXT', f'b{i + 1}')}\n}}" for i in range(count)
    ]
    end = f"block b{count} {{\n{last}\n}}\nmodel m {{\nimage(1, 1, 1)\nb0\n}}\n"
    return HEAD + "\n".join(blocks) + "\n" + end


def shift(items: str, channels: str, size: str, use: str = "shift(s)") -> str:
    lines = (
        f"shift s {{\n{items}\n}}\nmodel m {{\nimage({channels}, {size})\n{use}\n}}\n"
    )
    return HEAD + lines


TEXTS = {
    # repetition
    "stack": (model("stack 999_999_999 { gelu }"), "A0803"),
    "stack of stacks": (model("stack 1000 { " * 12 + "gelu" + " }" * 12), "A0803"),
    "growing": (model("stack 1000 { linear(2 * dim) }"), "A0805"),
    "shrinking": (model("stack 1000 { linear(dim - 1) }"), "A0406"),
    "all different": (model("stack 100_000 as i { linear(8 + mod(i, 2)) }"), "A0806"),
    "products": (
        model("stack 3000 as i { stack 3000 as j { linear(1 + mod(i + j, 7)) } }"),
        "A0806",
    ),
    "doubling blocks": (chain(50, "NEXT\nNEXT", "gelu"), "A0803"),
    "doubling widths": (chain(60, "linear(2 * dim)\nNEXT", "gelu"), "A0805"),
    "doubling failures": (
        chain(20, "residual {\nNEXT\n}\nresidual {\nNEXT\n}", "linear(dim + 1)"),
        "A0204",
    ),
    "a long chain": (chain(2000, "NEXT", "gelu"), "A0110"),
    "residuals": (model("residual { " * 60 + "gelu" + " }" * 60), None),
    "too many residuals": (model("residual { " * 600 + "gelu" + " }" * 600), "A0110"),
    # numbers
    "digits": (HEAD + "let a = " + "9" * 100_000, "A0802"),
    "exponent": (HEAD + "let a = 1e" + "9" * 10_000, "A0802"),
    "powers": (HEAD + "let a = 1e30 * 1e30 * 1e30", "A0802"),
    "small": (HEAD + "let a = 1 / 3e50 / 7e50", "A0802"),
    "constants": (
        HEAD
        + "let a0 = 1\n"
        + "".join(f"let a{i + 1} = a{i} + a{i}\n" for i in range(150)),
        None,
    ),
    "constants backwards": (
        HEAD
        + "".join(f"let a{i} = a{i + 1} + 1\n" for i in range(300))
        + "let a300 = 1\n",
        "A0110",
    ),
    # names
    "cycle of constants": (
        HEAD + "".join(f"let a{i} = a{(i + 1) % 50}\n" for i in range(50)),
        "A0307",
    ),
    "cycle of variants": (
        HEAD + "".join(f"model a{i} = a{(i + 1) % 50}\n" for i in range(50)),
        "A0307",
    ),
    "variants": (
        HEAD
        + "model a0(w = 3) { image(w, 1, 1) }\n"
        + "".join(f"model a{i + 1} = a{i}(w = {i + 1})\n" for i in range(200)),
        None,
    ),
    "a shift in its own parameters": (
        shift("edge keep\nrest stay", "1", "1, 1").replace(
            "shift s {", "shift s(x = s) {"
        ),
        "A0307",
    ),
    "more than a thousand mistakes": (
        HEAD + "".join(f"block b{i} {{\nfoo{i}\n}}\n" for i in range(1500)),
        "A0302",
    ),
    "unknown names": (
        HEAD + "".join(f"block b{i} {{\nfoo{i}\n}}\n" for i in range(300)),
        "A0302",
    ),
    # channels and positions
    "channels": (model("gelu\nnorm(layer)", "4_000_000_000, 1, 1"), None),
    "shifted channels": (
        shift("edge keep\n1/2 right\nrest stay", "4_000_000_000", "1, 1"),
        None,
    ),
    "displacements": (
        shift("edge keep\neach right -500 .. 500 down -500 .. 500", "4000", "1, 1"),
        "A0810",
    ),
    "large displacements": (
        shift("edge reflect\nrest right 1_000_000_000 up 1_000_000_000", "3", "8, 8"),
        None,
    ),
    "many groups": (
        shift(
            "edge circular\neach right -10 .. 10 down -10 .. 10",
            "882",
            "32, 32",
            "stack 100 { shift(s) }",
        ),
        None,
    ),
    "a shift that never settles": (
        shift(
            "edge circular\nrest right down", "2", "31, 32", "stack 90_000 { shift(s) }"
        ),
        None,
    ),
    "kernel": (model("depthwise(1_000_001)"), "A0804"),
    "kernels": (model("stack 9 { depthwise(1001) }", "3, 32, 32"), None),
    "instance": (
        model("gelu")
        + "claim m { instance(shift(none), of = depthwise(9001), on = [9, 9, 2]) }",
        "A0502",
    ),
    # sheer length
    "arguments": (model("linear(" + "1, " * 5000 + "1)"), "A0401"),
    "parts": (model("stack 2 { gelu }" + " then 2 { gelu }" * 1000), None),
    "garbage": (HEAD + "} { ( ] ) = , \n" * 3000, "A0101 A0106"),
    "braces": ("{" * 100_000 + "\n", "A0101"),
    "parentheses": (
        HEAD + "let a = " + "(" * 3000 + "1" + ")" * 3000,
        "A0110",
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_in_under_a_second(name: str) -> None:
    text, code = TEXTS[name]
    start = time.process_time()
    found = diagnose(text)
    shown = [render_text(one) for one in found]
    seconds = time.process_time() - start
    assert {one.code.number for one in found} == set((code or "").split())
    assert seconds < 1
    assert max(map(len, shown), default=0) < 5000
