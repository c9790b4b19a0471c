"""The house: what may import what, and what a start must not import."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import s2mlp_dsl

PACKAGE = Path(s2mlp_dsl.__file__).parent

# What each folder may import of ours. Everything may import what is below it.
MAY_IMPORT = {
    "frozen": set(),
    "source": {"frozen"},
    "bounds": {"frozen"},
    "shipped": set(),
    "diagnostics": {"frozen", "source"},
    "syntax": {"frozen", "source", "bounds", "diagnostics", "shipped"},
    "ir": {"frozen", "source"},
    "ops": {"frozen", "source", "diagnostics", "ir"},
    "elaborate": {
        *("frozen", "source", "bounds", "diagnostics", "shipped", "syntax", "ir"),
        "ops",
    },
    "analysis": {
        *("frozen", "source", "diagnostics", "syntax", "ir", "ops", "elaborate"),
    },
    "nn": set(),
    "lower": {"source", "diagnostics", "ir", "ops", "analysis"},
    "emit": {
        *("source", "diagnostics", "syntax", "ir", "ops", "elaborate", "analysis"),
        "lower",
    },
    "program": {"bounds", "elaborate", "ir", "ops", "analysis", "lower", "emit"},
    "verify": {
        *("source", "diagnostics", "ir", "ops", "elaborate", "analysis", "lower"),
        *("emit", "program"),
    },
    "api": {"elaborate", "analysis", "emit", "ir", "verify", "program"},
    "weights": {"ir", "analysis"},
    "train": {"ir"},
    "bench": {"ir", "lower", "program", "train"},
    "jobs": {"ir", "program", "train"},
    "study": {
        *("bounds", "ir", "ops", "elaborate", "analysis", "emit", "program", "api"),
        *("train", "bench", "jobs"),
    },
    "cli": {
        *("source", "bounds", "shipped", "diagnostics", "syntax", "ir", "ops"),
        *("elaborate", "analysis", "lower", "emit", "verify", "weights", "train"),
        *("api", "bench", "jobs", "study"),
    },
}
NEEDS_TORCH = {"nn", "lower", "verify", "train", "jobs", "bench", "study", "cli"}
# Targets that need torch, imported when they are asked for.
TARGETS = {"graph_trace.py", "export.py", "fx.py", "onnx.py", "safetensors.py"}
ONLY_IN = {
    "lark": {"syntax"},
    "networkx": {"analysis"},
    "graphviz": {"emit"},
    "rich": {"train", "study"},
    "click": {"cli"},
}


def imports(path: Path) -> Iterator[str]:
    """What a file imports when it runs: not what only a type checker reads."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""


def files() -> list[tuple[str, Path]]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if room not in ("__init__", "__main__"):
            found.append((room, path))
    return found


@pytest.mark.parametrize(("room", "path"), files(), ids=lambda one: str(one)[-40:])
def test_imports_run_one_way(room: str, path: Path) -> None:
    for name in imports(path):
        top, *rest = name.split(".")
        if top == "s2mlp_dsl" and rest and rest[0] != room:
            assert rest[0] in MAY_IMPORT[room], f"{room} must not import {name}"
        if top in ("torch", "torchvision"):
            needs = room in NEEDS_TORCH or (room == "emit" and path.name in TARGETS)
            assert needs, f"{room} must not import {name}"
        if top in ONLY_IN:
            allowed = ONLY_IN[top] | ({"verify"} if top == "networkx" else set())
            assert room in allowed, f"{room} must not import {name}"


def test_no_room_for_leftovers() -> None:
    names = {path.name for _, path in files()}
    assert not names & {"utils.py", "helpers.py", "misc.py", "common.py"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["check", "specs/studies.arch"],
        ["compile", "specs/digits.arch", "--emit", "ir"],
        ["compile", "specs/digits.arch", "--emit", "torch"],
        ["compile", "specs/digits.arch", "--emit", "ir-json"],
        ["compare", "specs/s2mlp_deep.arch", "specs/mlp_mixer.arch:mixer_b16"],
        ["explain", "A0203"],
        ["ops", "shift"],
        ["ops", "--format", "json"],
    ],
    ids=lambda one: " ".join(one[:1]),
)
def test_start_without_torch(arguments: list[str]) -> None:
    program = (
        "import sys; from s2mlp_dsl.cli.app import app;"
        "app.main(sys.argv[1:], standalone_mode=False);"
        "print('torch' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.splitlines()[-1] == "False"
    assert done.stdout


def test_analyze_without_torch() -> None:
    program = (
        "import sys, s2mlp_dsl as s2; a = s2.analyze('specs/s2mlp_deep.arch');"
        "assert a.params == 53_917_288; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], cwd=PACKAGE.parent, check=True)
