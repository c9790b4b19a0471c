"""`check --fix`: certain fixes, in the file, and nothing else."""

import json
from pathlib import Path

import pytest

from s2mlp_dsl.cli.fix import fix_file
from s2mlp_dsl.diagnostics import CODES
from s2mlp_dsl.shipped import shipped
from tests.checking import diagnose
from tests.diagnostics.examples import check_files, example
from tests.diagnostics.running import Checker

HEAD = "edition 1\n"


def fix(text: str, folder: Path) -> str:
    path = folder / "x.arch"
    path.write_bytes(text.encode())
    return fix_file(path).after.text


def model(body: str) -> str:
    return f"{HEAD}model m {{\n    image(3, 8, 8)\n{body}}}\n"


# wrong, and what it becomes; what is right afterwards has no mistake left
FIXED = {
    "a name": ("    lineer(4)\n", "    linear(4)\n"),
    "an argument": ("    linear(widht = 4)\n", "    linear(width = 4)\n"),
    "a word": ("    norm(laier)\n", "    norm(layer)\n"),
    "a keyword": (
        "    residuel {\n    gelu\n    }\n",
        "    residual {\n    gelu\n    }\n",
    ),
    "a semicolon": ("    gelu;\n    gelu; # two\n", "    gelu\n    gelu # two\n"),
    "a comment": ("    gelu // as usual\n", "    gelu # as usual\n"),
    "quotes": ('    linear("4")\n', "    linear(4)\n"),
    "brackets": (
        "    linear(max(4, 5)\n    gelu\n",
        "    linear(max(4, 5))\n    gelu\n",
    ),
    "several": (
        "    lineer(4)\n    norm(laier);\n",
        "    linear(4)\n    norm(layer)\n",
    ),
    "one that hides another": (
        "    linear(max(4, 5)\n    lineer(4)\n",
        "    linear(max(4, 5))\n    linear(4)\n",
    ),
}


@pytest.mark.parametrize("name", FIXED)
def test_fixed(name: str, tmp_path: Path) -> None:
    wrong, right = map(model, FIXED[name])
    assert fix(wrong, tmp_path) == right
    assert diagnose(right) == []


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        # at the end, before a declaration, with a comment behind the last line
        (model("    gelu\n")[:-2], model("    gelu\n")),
        (
            "model a {\n    image(3, 8, 8)\n    gelu  # last\n\nmodel b = a\n",
            "model a {\n    image(3, 8, 8)\n    gelu  # last\n}\n\nmodel b = a\n",
        ),
        (
            'block a {\n    gelu\n"""About b."""\nblock b {\n    gelu\n}\n',
            'block a {\n    gelu\n}\n"""About b."""\nblock b {\n    gelu\n}\n',
        ),
        (
            "block a {\n    residual {\n        gelu\nlet b = 1\n",
            "block a {\n    residual {\n        gelu\n    }\n}\nlet b = 1\n",
        ),
        # the indent says which brace is missing
        (
            "block a {\n    residual {\n        gelu\n}\nlet b = 1\n",
            "block a {\n    residual {\n        gelu\n    }\n}\nlet b = 1\n",
        ),
    ],
)
def test_a_missing_brace(wrong: str, right: str, tmp_path: Path) -> None:
    head = "" if wrong.startswith(HEAD) else HEAD
    assert fix(head + wrong, tmp_path) == head + right


def test_the_edition(tmp_path: Path) -> None:
    assert fix("let a = 1\n", tmp_path) == "edition 1\nlet a = 1\n"


@pytest.mark.parametrize(
    "body",
    [
        "    foo(4)\n",  # nothing is near
        "    linear\n",  # a number nobody knows
        "    residual {\n        linear(5)\n    }\n",
        "    gelu gelu\n",
    ],
)
def test_what_is_not_certain_is_left(body: str, tmp_path: Path) -> None:
    wrong = model(body)
    assert diagnose(wrong)
    assert fix(wrong, tmp_path) == wrong


# The example of these cannot be read, so nothing in it can be fixed.
READABLE = sorted(CODES.keys() - {"A0701", "A0801"})


@pytest.mark.parametrize("code", READABLE)
def test_no_fix_of_an_example_makes_it_worse(code: str, tmp_path: Path) -> None:
    """Every fixable example is right afterwards; every other one is untouched."""
    one = example(code)
    folder = tmp_path / "p"
    found = check_files(folder, one.wrong, one.given)
    fixable = any(diagnostic.fix for diagnostic in found)
    result = fix_file(folder / one.wrong.name)
    assert (result.count > 0) == fixable
    assert (result.after.text != result.before.text) == fixable
    result.write()
    assert fix_file(folder / one.wrong.name).count == 0


@pytest.mark.parametrize("path", sorted(shipped("specs").glob("*.arch")), ids=str)
def test_what_is_right_stays(path: Path) -> None:
    assert fix_file(path).count == 0


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check = Checker(capsys)
    path = tmp_path / "x.arch"
    before = b"\xef\xbb\xbf" + model("    lineer(4)\n").replace("\n", "\r\n").encode()
    path.write_bytes(before)
    run = check(path, "--fix", "--diff")
    assert run.code == 1 and "-    lineer(4)" in run.out and "+    linear(4)" in run.out
    assert path.read_bytes() == before
    run = check(path, "--fix")
    assert (run.code, run.err) == (0, f"applied 1 fix to {path}\n")
    assert path.read_bytes() == before.replace(b"lineer", b"linear")
    assert check(path, "--fix", "--diff").code == 0
    assert check(path, "--diff").code == 2
    assert check(tmp_path / "none.arch", "--fix").code == 2


def test_imports_are_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "b.arch"
    other.write_text(f"{HEAD}block b {{\n    lineer(4)\n}}\n")
    main = tmp_path / "a.arch"
    main.write_text(f'{HEAD}import b from "b.arch"\n' + model("    b\n")[10:])
    run = Checker(capsys)(main, "--fix")
    assert (
        run.code == 1 and "b.arch:3:5" in run.err and "lineer(4)" in other.read_text()
    )


def test_as_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.arch"
    path.write_text(model("    lineer(4)\n"))
    run = Checker(capsys)(path, "--format", "json")
    (one,) = json.loads(run.out)["diagnostics"]
    assert one["fix"]["text"] == "linear"
    assert (one["fix"]["line"], one["fix"]["column"]) == (4, 5)
    assert one["fix"]["end"] == {"line": 4, "column": 11}


BEFORE_0_1 = """edition 1

shift cross(rule: word = clamp) {
    edge rule
    1/4 right
    1/4 left
    1/4 down
    1/4 up
}

shift aside(rule: word = keep) {
    edge rule
    rest right
}

block mixer(inner: piece = none, note: text = "x", via = cross(wrap)) {
    residual {
        linear(2 * dim)
        shift(via)
        apply(inner)
        shift(cross(rule = zero))
        shift(aside)
        linear(dim)
    }
}

model tiny(rule: word = wrap) {
    image(3, 3, 3)
    linear(8)
    pad(y, multiple = 2, edge = zero) {
        shift(cross)
    }
    parallel(copy, fuse = sum) {
        branch {
            depthwise(3, edge = wrap)
        }
        branch {
            shift(aside(clamp))
            conv(8, 3, edge = clamp)
        }
    }
    stack 5 {
        mixer(inner = shift(aside(rule)))
    }
}

model unbound(width, rule: word = clamp) {
    image(3, 3, 3)
    linear(width)
    shift(aside(rule))
}

claim tiny {
    full_reach == 1
    reach(after = 1) == [9, 9]
    params() == 2_096
}

recipe old {
    data = digits
    epochs = 2
    batch = 8
    schedule = step(every = 1, factor = 1/2, floor = 0, start = 1e-6)
    augment = [flip, erasing(p = 0.1), rand_augment(magnitude = 5, ops = 2)]
    smoothing = 0.1
    clip = 1.0
    share = 5%
    repeats = 2
    activation_checkpointing = on
    init = [xavier, kaiming(of = linear)]
}
"""
# Each old spelling in its line, and its new one.
RENAMED = {
    "rule: word = clamp)": "rule: enum = replicate)",
    "rule: word": "rule: enum",
    "inner: piece": "inner: block",
    "note: text": "note: string",
    "cross(wrap)": "cross(circular)",
    "rule = zero": "rule = zeros",
    "rule: enum = wrap": "rule: enum = circular",
    "edge = zero)": "edge = zeros)",
    "fuse": "merge",
    "edge = wrap": "edge = circular",
    "aside(clamp)": "aside(replicate)",
    "edge = clamp": "edge = replicate",
    "full_reach": "full_receptive_field",
    " reach": " receptive_field",
    "every = 1": "step_size = 1",
    "factor": "gamma",
    "floor": "min_lr",
    "start =": "warmup_lr =",
    "[flip": "[horizontal_flip",
    " erasing": " random_erasing",
    "ops = 2": "num_ops = 2",
    " smoothing": " label_smoothing",
    " clip": " grad_clip",
    " share": " train_fraction",
    " repeats": " repeated_augmentation",
    "activation_checkpointing": "gradient_checkpointing",
    "[xavier": "[xavier_uniform",
    " kaiming": " kaiming_normal",
}


def test_a_file_written_before_0_1(tmp_path: Path) -> None:
    """Every old spelling is replaced, where it is written, and the file is right."""
    expected = BEFORE_0_1
    for old, new in RENAMED.items():
        assert old in expected
        expected = expected.replace(old, new)
    # A model with unbound parameters is not expanded, so this one is not met.
    expected = expected.replace(
        "unbound(width, rule: enum = replicate", "unbound(width, rule: enum = clamp"
    )
    assert fix(BEFORE_0_1, tmp_path) == expected
    assert diagnose(expected) == []
