"""What a model computes has the same figures however it is cut into blocks."""

import random

import pytest

from s2mlp_dsl.analysis.compare import compare_model
from s2mlp_dsl.api import Program, elaborate

HEAD = """edition 1

shift cross {
    edge keep
    1/4 right
    1/4 left
    1/4 down
    1/4 up
}
"""
MIXING = "residual {\nlinear(dim)\nshift(cross)\nlinear(dim)\n}"
GATED = (
    "parallel(split, merge = multiply) {\n"
    "branch { depthwise(3) }\nbranch { linear(dim) }\n}\nlinear(2 * dim)"
)
MODELS = {
    "stem and merging patch": [
        "image(3, 32, 32)",
        "patch(4, 16)",
        "norm(layer)",
        ("stack 7", [MIXING, "norm(layer)"]),
        "patch(2, 32)",
        ("stack 2", [MIXING]),
        "pool(mean)",
        "linear(10)",
    ],
    "convolutions before the patch": [
        "image(3, 24, 16)",
        "conv(8, 3)",
        ("stack 2", [MIXING]),
        "patch(2, 8)",
        ("stack 3", [MIXING, ("stack 2", [MIXING, GATED])]),
        "pool(mean)",
    ],
    "no patch": [
        "image(4, 9, 12)",
        "conv(8, 3, stride = 3)",
        ("stack 3", [MIXING]),
        "crop(x, 3)",
        "linear(3)",
    ],
    "patch in a stack": [
        "image(8, 8, 12)",
        ("stack 2", [MIXING, "patch(1, 8)", MIXING]),
        "linear(2)",
    ],
}
Body = list[str | tuple[str, "Body"]]


def cut(body: Body, chance: random.Random, blocks: list[str], first: int) -> str:
    """The text of a body, with runs of its statements moved to blocks."""
    lines = []
    for statement in body:
        if isinstance(statement, tuple):
            head, inner = statement
            statement = f"{head} {{\n{cut(inner, chance, blocks, 0)}\n}}"
        lines.append(statement)
    for _ in range(chance.randrange(4)):
        start = chance.randrange(first, len(lines))
        end = chance.randint(start + 1, len(lines))
        name = f"part{len(blocks)}"
        inner_text = "\n".join(lines[start:end])
        blocks.append(f"block {name} {{\n{inner_text}\n}}\n")
        lines[start:end] = [name]
    return "\n".join(lines)


def figures(program: Program) -> tuple[object, ...]:
    analysis = program.analysis
    rows = [
        (one.statement, one.count, one.row, one.reads)
        for one in compare_model(program.model).operators
    ]
    return (
        analysis.params,
        analysis.macs,
        analysis.receptive_field,
        sorted(map(repr, rows)),
    )


@pytest.mark.parametrize("body", MODELS.values(), ids=MODELS)
def test_figures_do_not_depend_on_blocks(body: Body) -> None:
    chance, texts = random.Random(5), set()
    for number in range(12):
        blocks: list[str] = []
        text = cut(body, chance, blocks, 1) if number else flat(body)
        texts.add(text)
        program = elaborate(f"{HEAD}{''.join(blocks)}model m {{\n{text}\n}}\n")
        if number == 0:
            hash, wanted = program.function_hash, figures(program)
        assert program.function_hash == hash
        assert figures(program) == wanted, text
    assert len(texts) > 6


def flat(body: Body) -> str:
    return "\n".join(
        one if isinstance(one, str) else f"{one[0]} {{\n{flat(one[1])}\n}}"
        for one in body
    )


def test_a_stem_in_a_block() -> None:
    """8 × 8 positions after the stem's patch, nine iterations."""
    body = MODELS["stem and merging patch"]
    chance = random.Random(1)
    for _ in range(4):
        blocks: list[str] = []
        text = cut(body, chance, blocks, 1)
        found = elaborate(f"{HEAD}{''.join(blocks)}model m {{\n{text}\n}}\n")
        field = found.analysis.receptive_field
        assert field is not None
        assert (field.grid, field.iterations) == ((8, 8), 9)
        assert (field.steps[-1].least, field.steps[-1].most) == (63, 64)
