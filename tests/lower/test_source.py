"""The emitted text: formatted, harmless, the same every time."""

import ast
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from s2mlp_dsl.api import VERSION, Program, elaborate
from s2mlp_dsl.lower.source_check import check_source
from tests.lower.specs import EVERY, MADE_UP, program

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("emitted")
    for name in EVERY:
        text = program(name).source().text
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("command", [["format", "--diff"], ["check"]])
def test_ruff_has_nothing_to_say(folder: Path, command: list[str]) -> None:
    words = [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", "."]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_types_hold(folder: Path) -> None:
    """mypy, strict, over all of them at once; what it knows of torch is kept."""
    root = Path(__file__).parents[2]
    words = [sys.executable, "-m", "mypy", "--cache-dir", str(root / ".mypy_cache")]
    words += ["--config-file", str(root / "pyproject.toml"), *sorted(_files(folder))]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"no issues found in {len(EVERY)} source files" in done.stdout


def _files(folder: Path) -> list[str]:
    return [str(path) for path in folder.glob("*.py")]


@pytest.mark.parametrize("name", EVERY)
def test_only_what_is_allowed(name: str) -> None:
    check_source(program(name).source().text)


@pytest.mark.parametrize("name", EVERY)
def test_torch_is_all_it_imports(name: str) -> None:
    tree = ast.parse(program(name).source().text)
    roots = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            roots |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module
            roots.add(node.module.split(".")[0])
    assert "torch" in roots
    assert roots - {"torch"} <= sys.stdlib_module_names


def _again(name: str) -> Program:
    program.cache_clear()
    return program(name)


@pytest.mark.parametrize("name", EVERY)
def test_same_bytes_every_time(name: str) -> None:
    assert program(name).source() == _again(name).source()


def test_same_bytes_in_another_process() -> None:
    """Nothing depends on the order of a set or the address of an object."""
    code = "import s2mlp_dsl.api as a, hashlib as h, sys; " + (
        "print(h.sha256(a.elaborate(sys.argv[1]).source().text.encode()).hexdigest())"
    )
    spec = f"edition 1\n{MADE_UP['names_of_classes']}"
    words = [sys.executable, "-c", code, spec]
    found = set()
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(words, capture_output=True, check=True, env=env)
        found.add(done.stdout)
    assert len(found) == 1


@pytest.mark.parametrize("name", ["digits", "nested_residuals", "many_groups"])
def test_golden(name: str, golden: Callable[[Path, str], None]) -> None:
    text = program(name).source().text
    golden(GOLDEN / f"{name}.py.txt", text.replace(f"dsl {VERSION}.", "dsl VERSION."))


def test_header_says_how_to_make_it_again() -> None:
    made = program("s2mlp")
    doc = ast.get_docstring(ast.parse(made.source().text))
    assert doc is not None
    assert made.analysis.function_hash in doc
    assert made.analysis.weight_hash in doc
    (command,) = (line for line in doc.splitlines() if "--emit" in line)
    assert command.strip() == (
        "s2mlp-dsl compile specs/s2mlp.arch --set width=16 --set depth=2 "
        "--set size=32 --set classes=7 --emit torch -o s2mlp.py"
    )


def test_a_text_without_a_file_has_no_command() -> None:
    doc = ast.get_docstring(ast.parse(program("no_weights").source().text))
    assert doc is not None
    assert "--emit" not in doc


def test_docstrings_cannot_escape() -> None:
    text = program("words").source().text
    assert "\\" not in text
    assert "漢字" in text
    docs = [
        ast.get_docstring(node)
        for node in ast.parse(text).body
        if isinstance(node, ast.ClassDef)
    ]
    assert all(docs)


def test_shapes_stand_where_they_change() -> None:
    text = program("digits").source().text
    assert "x = self.patch(x)  # [batch, 4, 4, 64]" in text
    assert "y = self.linear3(x)  # [batch, 4, 4, 128]" in text
    assert "x = self.pool(x)  # [batch, 64]" in text


def test_equal_iterations_are_a_loop() -> None:
    text = program("s2mlp_deep").source().text
    assert "nn.Sequential(*[S2mlpBlock() for _ in range(36)])" in text
    assert len(text.splitlines()) < 220


def test_two_definitions_of_a_block() -> None:
    spec = (
        "edition 1\nblock b(n) { linear(n) }\nmodel m {\nimage(1, 2, 2)\nb(2)\nb(3)\n}"
    )
    net = elaborate(spec).build()
    assert [type(part).__name__ for part in net.children()][1:] == ["B", "B2"]


@pytest.mark.parametrize("name", ["a\"$(touch x)'.arch", 'a" b.arch', "a'b.arch"])
def test_a_command_is_shown_as_it_is_or_not_at_all(name: str, tmp_path: Path) -> None:
    spec = tmp_path / name
    spec.write_text(
        "edition 1\nmodel m {\n image(1, 8, 8)\n pool(mean)\n linear(3)\n}\n"
    )
    text = elaborate(spec).emit("torch").decode()
    assert "Made again by" not in text
    spec = spec.rename(tmp_path / "a b.arch")
    text = elaborate(spec).emit("torch").decode()
    (line,) = (one for one in text.splitlines() if "s2mlp-dsl compile" in one)
    assert Path(shlex.split(line)[2]).name == "a b.arch"
