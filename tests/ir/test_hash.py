"""Two hashes: what is computed, and which weights there are."""

import hashlib
import json
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s2mlp_dsl.analysis.analyze import analyze_model
from s2mlp_dsl.analysis.cost import tensors_in
from s2mlp_dsl.diagnostics import Report
from s2mlp_dsl.frontend import parse
from s2mlp_dsl.frontend.format import format_file
from s2mlp_dsl.ir.digests import DigestSequence
from s2mlp_dsl.source import Source
from tests.checking import model_of

TEXT = """edition 1
shift cross {
    edge keep
    1/2 right
    rest left 2
}
model m {
    image(3, 8, 8)
    stem: patch(2, 8)
    stack 3 {
        residual {
            norm(layer)
            linear(2 * dim)
            gelu
            shift(cross)
            linear(dim)
        }
    }
    pool(mean)
    linear(10)
}
"""


def hashes(text: str) -> tuple[str | None, str | None]:
    analysis = analyze_model(model_of(text, "m"))
    return analysis.function_hash, analysis.weight_hash


FUNCTION, WEIGHTS = hashes(TEXT)
assert FUNCTION is not None and WEIGHTS is not None


def changed(old: str, new: str) -> str:
    assert TEXT.count(old) == 1
    return TEXT.replace(old, new)


BODY = (
    TEXT[TEXT.index("        residual") : TEXT.index("    pool")].rstrip()[:-1].rstrip()
)


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("cross", "other"),
        changed("stem: ", ""),
        changed("    linear(10)", "    # the head\n    head: linear(10)"),
        changed("model m", '"""Described."""\nmodel m'),
        changed("2 * dim", "(dim + dim)"),
        changed("linear(2 * dim)", "linear(2 * dim, bias = on)"),
        changed("norm(layer)", "norm(layer, eps = 1e-5)"),
        changed("rest left 2", "1/2 right -2"),
        changed("    stack 3 {", "    stack 1 + 2 as i {"),
        changed("edge keep", "edge keep\n").replace("\n", "\r\n"),
        changed("model m {", "model m(width = 8) {").replace("2, 8)", "2, width)"),
        TEXT.replace("model m {", "model base {") + "model m = base()\n",
        # a body becomes a block, a stack is written out
        changed(BODY, "        inner").replace(
            "model m", f"block inner {{\n{BODY}\n}}\nmodel m"
        ),
        changed(f"    stack 3 {{\n{BODY}\n    }}", "\n".join([BODY] * 3)),
        changed("stack 3 {", "stack 1 {").replace(
            "    }\n    pool", f"    }} then 2 {{\n{BODY}\n    }}\n    pool"
        ),
    ],
)
def test_the_function_is_the_same(text: str) -> None:
    assert hashes(text)[0] == FUNCTION


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("image(3, 8, 8)", "image(1, 8, 8)"),
        ("image(3, 8, 8)", "image(3, 8, 16)"),
        ("image(3, 8, 8)", "image(3, 16, 8)"),
        ("patch(2, 8)", "patch(4, 8)"),
        ("patch(2, 8)", "patch(2, 16)"),
        ("stack 3", "stack 4"),
        ("norm(layer)", "norm(affine)"),
        ("norm(layer)", "norm(layer, eps = 1e-6)"),
        ("linear(2 * dim)", "linear(3 * dim)"),
        ("linear(2 * dim)", "linear(2 * dim, bias = off)"),
        ("gelu\n", ""),
        ("gelu\n", "gelu\n gelu\n"),
        ("edge keep", "edge replicate"),
        ("edge keep", "edge keep\n    interleave"),
        ("1/2 right", "1/4 right"),
        ("1/2 right", "1/2 left"),
        ("1/2 right", "1/2 right 2"),
        ("1/2 right", "1/2 down"),
        ("rest left 2", "rest stay"),
        ("shift(cross)", "shift(none)"),
        ("residual {", "stack 1 {"),
        ("pool(mean)", "pool(max)"),
        ("linear(10)", "linear(11)"),
        ("    linear(10)\n", ""),
        ("linear(2 * dim)\n            gelu", "gelu\n            linear(2 * dim)"),
        ("shift(cross)", "depthwise(1)"),
        ("rest left 2", "rest left 3"),
        ("1/2 right\n    rest left 2", "1/2 left 2\n    rest right"),
        ("stem: patch(2, 8)", "patch(1, 8)\n    patch(2, 8)"),
        ("stack 3 {", "stack 2 {\n        gelu\n    } then 3 {"),
        ("pool(mean)\n", "pool(mean)\n    gelu\n"),
        ("            linear(dim)\n", "            linear(dim, bias = off)\n"),
        ("residual {", "parallel(copy, merge = sum) { branch {"),
        ("    pool(mean)\n", ""),
    ],
)
def test_the_function_is_another(old: str, new: str) -> None:
    text = changed(old, new)
    if "branch {" in new:  # there are at least two
        text = text.replace(
            "linear(dim)\n        }", "linear(dim)\n}\nbranch { gelu }\n}"
        )
    assert hashes(text)[0] != FUNCTION


def test_changes_differ_from_each_other() -> None:
    """Thirty changes of meaning, thirty functions."""
    (mark,) = test_the_function_is_another.pytestmark  # type: ignore[attr-defined]
    changes = [one for one in mark.args[1] if "branch {" not in one[1]]
    found = {hashes(changed(old, new))[0] for old, new in changes}
    assert len(found) == len(changes) >= 30


DECLARATIONS = re.findall(r"(?:shift|model) .*?^}\n", TEXT, re.DOTALL | re.MULTILINE)
UNRELATED = [
    "let unused = 3\n",
    "block other(k = 2) {\n    linear(k * dim)\n}\n",
    "shift another {\n    edge zeros\n    rest up\n}\n",
    "model n {\n    image(1, 4, 4)\n}\n",
    "claim m {\n    params() > 0\n}\n",
    "recipe r {\n    epochs = 1\n}\n",
]


@settings(max_examples=60, deadline=None)
@given(st.permutations([*DECLARATIONS, *UNRELATED]), st.integers(0), st.booleans())
def test_order_comments_and_layout_do_not_count(
    declarations: list[str], seed: int, formatted: bool
) -> None:
    """Declarations in any order, comments and blanks anywhere, `fmt` or not."""
    chance = random.Random(seed)
    lines = []
    for line in "".join(["edition 1\n", *declarations]).splitlines():
        if chance.random() < 0.3:
            lines.append(chance.choice(["", "# note { (", "   \t# more"]))
        beside = chance.choice(["", "", "  # beside }", "\t"])
        lines.append(" " * chance.randrange(4) + line.replace("(", "( ") + beside)
    text = "\n".join(lines) + "\n"
    if formatted:
        text = format_file(parse(Source("x.arch", text), Report()))
    assert hashes(text) == (FUNCTION, WEIGHTS)


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("image(3, 8, 8)", "image(3, 16, 32)", True),  # trained small, used large
        ("norm(layer)", "norm(affine)", True),  # one weight, one bias either way
        ("gelu\n", "", True),
        ("edge keep", "edge zeros", True),
        ("pool(mean)", "pool(max)", True),
        ("shift(cross)", "shift(none)", True),
        ("1 linear", "1 linear", True),
        ("stem: ", "", False),  # another name
        ("    linear(10)", "    head: linear(10)", False),
        ("linear(10)", "linear(11)", False),
        ("stack 3", "stack 4", False),
        ("linear(2 * dim)", "linear(2 * dim, bias = off)", False),
        ("linear(2 * dim)", "linear(3 * dim)", False),
    ],
)
def test_the_weights(old: str, new: str, same: bool) -> None:
    text = TEXT if old == new else changed(old, new)
    assert (hashes(text)[1] == WEIGHTS) == same


def test_equal_iterations_are_no_other_weights() -> None:
    """Whether iterations differ elsewhere says nothing about their weights."""
    text = changed("    stack 3 {", "    stack 3 as i {").replace(
        "shift(cross)", "shift(steps(i + 1))"
    )
    text = text.replace(
        "model m", "shift steps(n) {\n edge keep\n rest right n\n}\nmodel m"
    )
    function, weights = hashes(text)
    assert function != FUNCTION
    assert weights == WEIGHTS


# what is hashed without being opened, held against what it stands for


LETTERS = [hashlib.sha256(letter.encode()).digest() for letter in "abc"]
Parts = list[tuple[object, int]]
PARTS = st.recursive(
    st.sampled_from(LETTERS),
    lambda inside: st.lists(st.tuples(inside, st.integers(0, 5)), max_size=4),
    max_leaves=8,
)


def sequence_of(parts: object) -> bytes | DigestSequence:
    if isinstance(parts, bytes):
        return parts
    assert isinstance(parts, list)
    return DigestSequence((sequence_of(one), count) for one, count in parts)


def opened(parts: object) -> list[bytes]:
    if isinstance(parts, bytes):
        return [parts]
    assert isinstance(parts, list)
    return [x for one, count in parts for _ in range(count) for x in opened(one)]


@settings(deadline=None)
@given(st.lists(st.tuples(PARTS, st.integers(0, 5)), max_size=4))
def test_a_sequence_is_hashed_as_if_written_out(parts: Parts) -> None:
    made = sequence_of(parts)
    assert isinstance(made, DigestSequence)
    assert made.digest() == DigestSequence((one, 1) for one in opened(parts)).digest()


def test_sequences_differ() -> None:
    a, b, c = LETTERS
    rows = [[], [a], [a, a], [a, b], [b, a], [a, b, c], [a, b, a, b], [a, a, b, b]]
    assert len(
        {DigestSequence((one, 1) for one in row).digest() for row in rows}
    ) == len(rows)


def tree_of(tensors: list[tuple[str, tuple[int, ...]]]) -> str:
    """The weight hash by its definition, from all names."""
    groups: dict[str, list[tuple[str, tuple[int, ...]]]] = {}
    runs: list[list[object]] = []
    for name, shape in tensors:
        top, _, rest = name.partition(".")
        groups.setdefault(top, []).append((rest, shape))
    numbers = sorted(filter(str.isdecimal, groups), key=int)
    for top in [*numbers, *sorted(groups.keys() - {*numbers})]:
        ((rest, shape), *_) = groups[top]
        text = tree_of(groups[top]) if rest else json.dumps(list(shape))
        digest = text if rest else hashlib.sha256(text.encode()).hexdigest()
        if top.isdecimal() and runs and runs[-1][2] == digest:
            first, count, _ = runs[-1]
            assert isinstance(first, str) and isinstance(count, int)
            if first.isdecimal() and int(first) + count == int(top):
                runs[-1][1] = count + 1
                continue
        runs.append([top, 1, digest])
    return hashlib.sha256(json.dumps(runs).encode()).hexdigest()


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        changed("stack 3 {", "stack 12 as i {").replace(
            "linear(2 * dim)", "linear(choose(i < 4, 2, 3) * dim)"
        ),
        changed("stack 3 {", "stack 3 {\n        stack 11 { linear(dim) }"),
        changed("stack 3 {", "stack 2 {\n        gelu\n    } then 3 {"),
        changed("    pool(mean)", "    attention(2)\n    pool(mean)"),
        "edition 1\nmodel m {\n    image(3, 2, 2)\n    gelu\n}\n",
    ],
)
def test_weights_are_their_names_and_shapes(text: str) -> None:
    model = model_of(text, "m")
    assert hashes(text)[1] == tree_of(list(tensors_in(model)))
