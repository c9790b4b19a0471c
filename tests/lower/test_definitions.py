"""The modules of `nn` as they are written into an emitted source."""

import ast
from pathlib import Path

import pytest
from torch import nn

import s2mlp_dsl.nn
from s2mlp_dsl.ir.names import RESERVED
from s2mlp_dsl.lower.definitions import Definitions, import_lines

FILES = sorted(Path(s2mlp_dsl.nn.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_files_hold_definitions_alone(path: Path) -> None:
    """A constant or a private helper of the same name elsewhere would be lost."""
    doc, *rest = ast.parse(path.read_text(encoding="utf-8")).body
    assert isinstance(doc, ast.Expr)
    kinds = ast.Import | ast.ImportFrom | ast.ClassDef | ast.FunctionDef
    for node in rest:
        assert isinstance(node, kinds)
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            assert ast.get_docstring(node)
            assert {ast.unparse(one) for one in node.decorator_list} <= {"wrap"}


def test_what_is_needed_comes_first() -> None:
    names = [one.name for one in Definitions().of(["InterleavedShift"])]
    assert names[:3] == ["bring_inside", "move", "move_parts"]
    assert names[-2:] == ["interleaved", "InterleavedShift"]


def test_everything_at_once_runs() -> None:
    known = Definitions()
    modules = known.of(known.known)
    text = "\n".join([*import_lines(modules), *(one.text for one in modules)])
    found: dict[str, object] = {}
    exec(text, found)
    assert known.known.keys() <= found.keys()


def test_only_needed_imports() -> None:
    assert import_lines([]) == ["import torch", "from torch import Tensor, nn"]
    lines = import_lines(Definitions().of(["SpatialShift"]))
    assert lines[0] == "from collections.abc import Sequence"


def test_names_that_a_module_needs_are_reserved() -> None:
    public = {name for name in dir(nn.Module()) if not name.startswith("_")}
    assert public <= RESERVED
