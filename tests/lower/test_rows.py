"""Rows in what is built for a GPU: the same values, and no more views than it takes."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from s2mlp_dsl.api import Program, elaborate
from s2mlp_dsl.lower.rows import fits_rows
from s2mlp_dsl.verify.verify import verify_module
from tests.lower.specs import MADE_UP, SHIPPED, SMALL, program
from tests.verify.planting import checks, edited, failed

CROSS = """
shift cross {
    edge keep
    1/4 right
    1/4 left
    1/4 down
    1/4 up
}
"""
BODIES = {
    "begins_with_a_shift": "shift(cross)\n linear(8)\n gelu",
    "ends_with_a_shift": "linear(8)\n gelu\n shift(cross)",
    "norm_first": "residual {\n norm(layer)\n linear(8)\n shift(cross)\n }",
    "two_shifts": "linear(8)\n shift(cross)\n shift(cross)\n linear(8)",
    "shift_then_gelu": "shift(cross)\n gelu\n norm(batch)\n linear(8)",
    "gate": "linear(16)\n parallel(split, merge = multiply) {\n"
    " branch { linear(8)\n shift(cross) }\n branch { gelu }\n }\n linear(8)",
    "copies": "parallel(copy, merge = sum) {\n branch { shift(cross)\n linear(8) }\n"
    " branch { linear(8) }\n branch { }\n }\n norm(affine)",
    "nested": "residual {\n residual {\n shift(cross)\n linear(8)\n }\n scale(1)\n }",
    "no_shift": "residual {\n linear(8, bias = off)\n relu\n }",
}
MAPS = {
    "group_norm": "linear(8)\n norm(group)",
    "fold": 'linear(8)\n fold("y x c -> c (y x)") {\n linear(12)\n }',
    "convolution": "linear(8)\n depthwise(3)",
    "no_product": "gelu\n shift(cross)",
    "pooling": "linear(8)\n pool(mean, 3, pad = 1)",
}


def of(body: str) -> Program:
    """A small model with the body as a block, twice."""
    block = f"block b {{\n{body}\n}}\n"
    model = "model m {\n image(3, 6, 8)\n patch(2, 8)\n b\n late: b\n}\n"
    return elaborate(f"edition 1\n{CROSS}\n{block}{model}")


def takes_rows(one: Program) -> bool:
    return ".shape[:-1]" in one.source(device="cuda").text


def same_weights(one: Program, drop_path: bool) -> tuple[nn.Module, nn.Module]:
    maps = one.build(drop_path)
    rows = one.build(drop_path, device="cuda")
    rows.load_state_dict(maps.state_dict())
    return maps.double(), rows.double()


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_in_rows_is_proved(body: str) -> None:
    one = of(body)
    assert takes_rows(one)
    for check in verify_module(one, one.build(device="cuda")):
        assert check.passed, check


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("training", [False, True])
def test_values_and_gradients_are_those_of_maps(body: str, training: bool) -> None:
    results = []
    for net in same_weights(of(body), drop_path=training):
        net.train(training)
        for part in net.modules():
            if type(part).__name__ == "DropPath":
                part.p = 0.5  # type: ignore[assignment]
        torch.manual_seed(2)
        # A larger image than the spec's: nothing is bound to its size.
        x = torch.randn(3, 3, 10, 12, dtype=torch.float64).requires_grad_()
        y = net(x)
        y.sin().sum().backward()
        results.append([y, x.grad, *(p.grad for p in net.parameters())])
    torch.testing.assert_close(*results, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("body", MAPS.values(), ids=MAPS)
def test_what_needs_more_than_rows_keeps_maps(body: str) -> None:
    one = of(body)
    assert not any(fits_rows(block.body) for block in one.model.blocks)
    assert ".shape[:-1]" not in one.source(device="cuda").text


def test_only_the_device_asks_for_rows() -> None:
    one = program("s2mlp")
    assert takes_rows(one)
    for text in (one.source().text, one.source(lowering="gather").text):
        assert ".shape[:-1]" not in text


def test_as_few_views_as_it_takes() -> None:
    """One way in and out, and one to the shift and back, with the GELU before it."""
    text = program("s2mlp_wide").source(device="cuda").text
    (block,) = (
        one
        for one in ast.parse(text).body
        if isinstance(one, ast.ClassDef) and one.name == "S2mlpBlock"
    )
    forward = ast.unparse(block).partition("def forward")[2]
    assert forward.count(".flatten(") == forward.count("torch.unflatten(") == 2
    lines = [line.strip() for line in forward.splitlines()]
    first = lines.index("y = self.linear1(x)")
    assert lines[first + 1 : first + 6] == [
        "y = torch.unflatten(y, 0, size)",
        "y = self.gelu1(y)",
        "y = self.shift(y)",
        "y = y.flatten(0, -2)",
        "y = self.linear2(y)",
    ]


@pytest.mark.parametrize("name", [n for n in SMALL if takes_rows(program(n))])
def test_small_models_are_proved(name: str) -> None:
    one = program(name)
    for check in verify_module(one, one.build(device="cuda")):
        assert check.passed, check


def test_most_models_of_the_paper_take_rows() -> None:
    taking = {name for name in SHIPPED if takes_rows(program(name))}
    assert {"s2mlp", "s2mlp_deep", "s2mlp_wide", "digits", "shifted"} <= taking
    assert {"resnet_50", "mixer_s16", "vit_b16"}.isdisjoint(taking)


def test_a_backbone_has_maps() -> None:
    """Of any statement in a block that takes rows otherwise."""
    one = of("middle: norm(layer)\n linear(8)\n shift(cross)")
    text = one.spec.source.text.replace(" b\n late: b\n", " b\n")
    assert takes_rows(elaborate(text))
    (middle,) = elaborate(text).backbone(["middle"], "cuda")(torch.randn(2, 3, 6, 8))
    assert middle.shape == (2, 8, 3, 4)


@pytest.mark.parametrize(
    ("old", "new", "caught"),
    [
        ("y = torch.unflatten(y, 0, size)", "pass", {"values"}),
        ("y.flatten(0, -2)", "y.transpose(1, 2).flatten(0, -2)", {"structure"}),
        ("y.flatten(0, -2)", "y.flatten(1, 2).flatten(0, 1)", {"structure"}),
        ("size = x.shape[:-1]", "size = x.transpose(1, 2).shape[:-1]", {"structure"}),
        (
            "torch.unflatten(y, 0, size)",
            "torch.unflatten(y, 0, size[::-1])",
            {"values"},
        ),
    ],
)
def test_wrong_rows_are_caught(old: str, new: str, caught: set[str]) -> None:
    found = failed(checks(edited(old, new, device="cuda")))
    assert caught <= found


def test_the_text_is_clean(tmp_path: Path) -> None:
    """ruff and mypy, strict, over every text with rows."""
    bodies = {name: of(body) for name, body in BODIES.items()}
    made = {name: program(name) for name in [*MADE_UP, "s2mlp"]}
    for name, one in (bodies | made).items():
        text = one.source(drop_path=True, device="cuda").text
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    for command in (["ruff", "format", "--diff"], ["ruff", "check"]):
        words = [sys.executable, "-m", *command, "--isolated", "--no-cache", "."]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    root = Path(__file__).parents[2]
    words = [sys.executable, "-m", "mypy", "--cache-dir", str(root / ".mypy_cache")]
    words += [
        "--config-file",
        str(root / "pyproject.toml"),
        *map(str, tmp_path.glob("*")),
    ]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
