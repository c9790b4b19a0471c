"""The notebook in docs/ says what it would say if it ran now."""

import ast
import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import s2mlp_dsl as s2
from tests.pictures.picture import ROOT

NOTEBOOK = ROOT / "docs" / "tour.ipynb"


def run(code: str, names: dict[str, Any]) -> tuple[str, Any]:
    """What a cell prints, and the value of its last line if it is one."""
    body = ast.parse(code).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        exec(compile(ast.Module(body, []), str(NOTEBOOK), "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
    return printed.getvalue(), value


def test_outputs_are_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(NOTEBOOK.parent)
    names: dict[str, Any] = {}
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    shown = set()
    for cell in (one for one in cells if one["cell_type"] == "code"):
        printed, value = run("".join(cell["source"]), names)
        assert cell["execution_count"]
        for output in cell["outputs"]:
            if output["output_type"] == "stream":
                assert "".join(output["text"]) == printed
            for kind, method in (
                ("text/html", "_repr_html_"),
                ("image/svg+xml", "_repr_svg_"),
            ):
                if kind in output.get("data", {}):
                    assert "".join(output["data"][kind]) == getattr(value, method)()
                    shown.add(type(value).__name__)
    assert shown == {"Analysis", "Picture", "Program", "Shift"}


def test_a_model_and_a_shift_show_themselves() -> None:
    program = s2.elaborate(ROOT / "specs" / "digits.arch")
    assert program.model._repr_svg_() == program._repr_svg_()
    grid = program.shifts["cross"]._repr_svg_()
    assert grid is not None and grid.startswith("<svg") and "64 channels" in grid
    # A shape has nothing to draw, and says so the way IPython asks for.
    assert program.model.result._repr_svg_() is None
    # Whoever loads a spec and expands it without the rest sees it as well.
    command = (
        "import s2mlp_dsl as s2; spec = s2.load('specs/digits.arch');"
        "model = spec.expand(spec.choose_model(None), {});"
        "assert model._repr_svg_().startswith('<svg');"
        "import sys; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", command], cwd=ROOT, check=True)


def test_torch_comes_last() -> None:
    text = Path(NOTEBOOK).read_text(encoding="utf-8")
    assert text.count("import torch") == 1
