"""The house: what may import what, and what a start must not import."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import networkx
import pytest

import s2mlp_dsl

PACKAGE = Path(s2mlp_dsl.__file__).parent

# Bottom to top, the road of a spec: a folder imports what stands below it, never
# what stands beside it on its own line.
LAYERS = (
    ("shipped", "nn", "errors", "signals", "files", "escape"),
    ("source", "bounds", "disk", "lock"),
    ("diagnostics", "ir"),
    ("registry",),
    ("frontend", "operators", "data"),
    ("recipe",),
    ("train",),
    ("elaborate",),
    ("analysis",),
    ("lower", "weights"),
    ("pictures", "targets"),
    ("report",),
    ("program",),
    ("verify", "audit", "jobs", "bench", "timm_models"),
    ("api",),
    ("study",),
    ("__init__",),
    ("cli",),
    ("__main__",),
)
FLOOR = {name: floor for floor, names in enumerate(LAYERS) for name in names}
NEEDS_TORCH = {
    *(
        "nn",
        "data",
        "lower",
        "timm_models",
        "verify",
        "audit",
        "train",
        "jobs",
        "bench",
        "study",
        "cli",
    ),
}
# Files elsewhere that need torch, imported when they are asked for.
TORCH_FILES = {
    "pictures/fx_graph.py",
}
# Their modules import torch in functions only: a recipe is checked without it.
TORCH_IN_FUNCTIONS = {"recipe"}
ONLY_IN = {
    "lark": {"frontend"},
    "networkx": {"analysis", "verify"},
    "graphviz": {"pictures"},
    "rich": {"train", "study"},
    "click": {"cli"},
}


@cache
def files() -> dict[str, Path]:
    """Module name, as `s2mlp_dsl.ir.walk`, to file."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


def folder_of(module: str) -> str:
    """The part of the house that a module of ours belongs to."""
    return [*module.split("."), "__init__"][1]


def imports(path: Path) -> Iterator[str]:
    """What a file imports when it runs: not what only a type checker reads."""
    return imported(ast.parse(path.read_text(encoding="utf-8")), path)


def imported(tree: ast.Module, path: Path) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            for alias in node.names:
                inner = f"{module}.{alias.name}"
                yield inner if inner in files() else module


def imports_at_the_top(path: Path) -> list[str]:
    """What a file imports outside functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.body = []
    return [*imported(tree, path)]


@pytest.mark.parametrize("module", files())
def test_imports_run_one_way(module: str) -> None:
    path, folder = files()[module], folder_of(module)
    for name in imports(path):
        top = name.split(".")[0]
        if top == "s2mlp_dsl" and folder_of(name) != folder:
            below = FLOOR[folder_of(name)] < FLOOR[folder]
            assert below, f"{folder} must not import {name}"
        if top in ("torch", "torchvision"):
            file = path.relative_to(PACKAGE).as_posix()
            needs = folder in NEEDS_TORCH or file in TORCH_FILES
            if folder in TORCH_IN_FUNCTIONS:
                needs = name not in imports_at_the_top(path)
            assert needs, f"{file} must not import {name}"
        if top in ONLY_IN:
            assert folder in ONLY_IN[top], f"{folder} must not import {name}"


def test_no_file_imports_itself_through_others() -> None:
    graph = networkx.DiGraph(
        (module, name)
        for module, path in files().items()
        for name in imports(path)
        if name in files() and name != module
    )
    cycles = networkx.strongly_connected_components(graph)
    assert not [sorted(cycle) for cycle in cycles if len(cycle) > 1]


@pytest.mark.parametrize("module", files())
def test_modules_and_functions_are_short(module: str) -> None:
    text = files()[module].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, node.name


# A path as docstrings, comments and docs write it, from the root or from the package.
CITED = re.compile(
    r"(?<![\w/.-])"
    r"(?:(?:tests|docs|benchmarks|tools|specs|grammar|s2mlp_dsl)/[\w./-]*\w\.\w+"
    r"|[a-z_]+/[a-z_]+\.(?:py|md))"
)
INVENTED = {"specs/no_such.arch", "shared/load.py"}
PLACEHOLDERS = {"NAME", "CODE"}


@pytest.mark.parametrize("folder", ["s2mlp_dsl", "tests", "tools", "docs", "."])
def test_cited_files_exist(folder: str) -> None:
    root = PACKAGE.parent
    pattern = "*" if folder == "." else "**/*"
    pages = [p for p in (root / folder).glob(pattern) if p.suffix in (".py", ".md")]
    assert pages
    for page in pages:
        for cited in CITED.findall(page.read_text(encoding="utf-8")):
            if cited in INVENTED or Path(cited).stem in PLACEHOLDERS:
                continue
            found = any((base / cited).exists() for base in (root, PACKAGE))
            assert found, f"{page} cites {cited}"


@pytest.mark.parametrize("folder", ["tests", "tools", "benchmarks"])
def test_only_public_names_are_imported(folder: str) -> None:
    pages = list((PACKAGE.parent / folder).rglob("*.py"))
    assert pages
    for page in pages:
        for node in ast.walk(ast.parse(page.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                private = [one.name for one in node.names if one.name.startswith("_")]
                assert not private, f"{page} imports {private} from {node.module}"


def test_no_room_for_leftovers() -> None:
    names = {path.name for path in files().values()}
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


def test_import_without_unix() -> None:
    """As on Windows, where these modules and signals do not exist."""
    program = (
        "import sys, importlib, signal;"
        "missing = ['fcntl', 'grp', 'pwd', 'resource', 'termios'];"
        "sys.modules.update(dict.fromkeys(missing));"
        "[delattr(signal, f'SIG{name}') for name in ('HUP', 'KILL', 'USR1', 'ALRM')];"
        "[importlib.import_module(name) for name in sys.argv[1:]]"
    )
    modules = [name for name in files() if not name.endswith("__main__")]
    subprocess.run(
        [sys.executable, "-c", program, *modules], cwd=PACKAGE.parent, check=True
    )


@pytest.mark.parametrize("folder", ["benchmarks", "tools"])
def test_what_they_import_of_us_exists(folder: str) -> None:
    for path in (PACKAGE.parent / folder).rglob("*.py"):
        for name in imports(path):
            if name.startswith("s2mlp_dsl"):
                assert name in files(), f"{path} imports {name}"
