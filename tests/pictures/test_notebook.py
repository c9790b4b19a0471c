"""The notebook in docs/ says what it would say if it ran now."""

import json
import subprocess
import sys

import pytest

import s2mlp_dsl as s2
from tests.pictures.picture import ROOT
from tools.notebook import NOTEBOOK, refreshed


def test_outputs_are_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(NOTEBOOK.parent)
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert refreshed(text) == text, "python tools/notebook.py writes it"
    shown = [
        kind
        for cell in json.loads(text)["cells"]
        for output in cell.get("outputs", ())
        for kind in output.get("data", ())
    ]
    assert shown.count("text/html") >= 1 and shown.count("image/svg+xml") >= 3


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
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert text.count("import torch") == 1
