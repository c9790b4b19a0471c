"""Name maps, and the command that applies them, on files made here."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from safetensors.numpy import load_file, save_file

from s2mlp_dsl.cli.commands.import_weights import command
from s2mlp_dsl.shipped import shipped
from s2mlp_dsl.weights.match import match
from s2mlp_dsl.weights.rules import RuleError, parse_rules

SPEC = """edition 1
model m {
    image(3, 4, 4)
    stem: patch(2, 5)
    stack 2 {
        linear(dim)
    }
}
"""
MAP = "conv -> stem\nlayer{n}.fc -> stack.{n-1}.linear  # from 1\n"


def theirs() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    shapes = {"conv.weight": (5, 3, 2, 2), "conv.bias": (5,)}
    for n in (1, 2):
        shapes |= {f"layer{n}.fc.weight": (5, 5), f"layer{n}.fc.bias": (5,)}
    return {name: random.standard_normal(dims) for name, dims in shapes.items()}


def run(folder: Path, tensors: dict[str, np.ndarray], rules: str, *more: str) -> Result:
    (folder / "m.arch").write_text(SPEC)
    (folder / "m.map").write_text(rules)
    save_file(tensors, folder / "theirs.safetensors")
    arguments = [str(folder / "m.arch"), "--from", str(folder / "theirs.safetensors")]
    arguments += ["--map", str(folder / "m.map"), "-o", str(folder / "ours")]
    return CliRunner().invoke(command, [*arguments, *more], standalone_mode=False)


def test_renamed(tmp_path: Path) -> None:
    result = run(tmp_path, theirs(), MAP)
    assert result.return_value == 0
    assert result.output.startswith("6 of 6 tensors matched, 1 reshaped\n")
    found, given = load_file(tmp_path / "ours"), theirs()
    assert np.array_equal(found["stem.weight"], given["conv.weight"].reshape(5, 12))
    assert np.array_equal(found["stack.1.linear.bias"], given["layer2.fc.bias"])


def test_what_does_not_match_is_said(tmp_path: Path) -> None:
    tensors = theirs()
    tensors["layer1.fc.weight"] = np.zeros((5, 4))
    tensors["extra"] = np.zeros(1)
    tensors["layer3.fc.bias"] = np.zeros(5)
    del tensors["conv.bias"]
    result = run(tmp_path, tensors, MAP)
    assert result.return_value == 1 and not (tmp_path / "ours").exists()
    for line in (
        "not filled: stem.bias: no tensor is mapped to it",
        "not filled: stack.0.linear.weight: 5 × 4 there, 5 × 5 here",
        "unused: extra: no rule names it",
        "unused: layer3.fc.bias: it would be `stack.2.linear.bias`, which the model",
    ):
        assert line in result.output
    result = run(tmp_path, tensors, MAP, "--partial")
    assert result.return_value == 1
    assert len(load_file(tmp_path / "ours")) == 4


def test_two_for_one() -> None:
    rules = parse_rules("a -> x\nb -> x", "map")
    matched = match({"x": (2,)}, {"a": (2,), "b": (2,)}, rules)
    assert matched.whole and matched.unused == (("b", "`a` is `x` already"),)


def test_the_first_rule_counts() -> None:
    (first, *_) = rules = parse_rules("a.{i} -> x.{i+1}\na -> y", "map")
    assert first.rename("a.3.weight") == "x.4.weight"
    assert rules[1].rename("a.b.weight") == "y.b.weight"
    assert first.rename("a.b") is None and first.rename("aa.3") is None


@pytest.mark.parametrize("line", ["a", "a ->", "-> b", "a -> b.{i}"])
def test_a_line_that_says_nothing(line: str) -> None:
    with pytest.raises(RuleError, match="map:2"):
        parse_rules(f"# a map\n{line}", "map")


def test_a_file_that_is_none(tmp_path: Path) -> None:
    run(tmp_path, theirs(), MAP)
    (tmp_path / "theirs.safetensors").write_bytes(b"garbage")
    arguments = [str(tmp_path / "m.arch"), "--map", str(tmp_path / "m.map")]
    arguments += ["--from", str(tmp_path / "theirs.safetensors")]
    result = CliRunner().invoke(command, arguments)
    assert "cannot be read" in result.output and result.exit_code
    arguments[2] = "std:nothing"
    result = CliRunner().invoke(command, arguments)
    assert "std:mlp_mixer" in result.output and result.exit_code == 2


@pytest.mark.parametrize(
    "path", sorted(shipped("specs/maps").glob("*.map")), ids=lambda one: one.stem
)
def test_shipped_maps_say_something(path: Path) -> None:
    assert parse_rules(path.read_text(encoding="utf-8"), path.name)
