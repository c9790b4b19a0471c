"""The public API, as the README uses it."""

import importlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

import s2mlp_dsl as s2
from s2mlp_dsl.analysis.analyze import check_spec

SPECS = Path(__file__).parents[2] / "specs"

TINY = """
edition 1
import s2mlp from "std:s2mlp"
model tiny = s2mlp(width = 8, depth = 2, size = 32)
"""


def test_public_names() -> None:
    assert sorted(s2.__all__) == [
        "Analysis",
        "ChoiceError",
        "Diagnostic",
        "Program",
        "Spec",
        "SpecError",
        "analyze",
        "compile",
        "diagram",
        "elaborate",
        "load",
        "register_timm",
        "verify",
    ]
    for name in s2.__all__:
        assert getattr(s2, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        s2.nonsense  # noqa: B018


def test_functions_are_not_replaced_by_the_folders_of_their_names() -> None:
    """Importing `s2mlp_dsl.verify.…` must leave `s2.verify` the function."""
    for module in ("verify.verify", "elaborate.spec"):
        importlib.import_module(f"s2mlp_dsl.{module}")
    assert s2.elaborate(TINY).model.name == "tiny"
    assert callable(s2.verify)


def test_compile_a_file_with_settings() -> None:
    net = s2.compile(SPECS / "digits.arch", width=16, depth=1)
    assert isinstance(net, torch.nn.Module)
    assert net(torch.zeros(3, 1, 8, 8)).shape == (3, 10)


def test_compile_a_text() -> None:
    net = s2.compile(TINY, classes=7)
    assert net(torch.zeros(1, 3, 32, 32)).shape == (1, 7)


def test_neither_a_file_nor_a_text_says_what_it_was_taken_for() -> None:
    with pytest.raises(s2.SpecError, match="no such file") as caught:
        s2.compile("edition 1; model m { image(3, 8, 8) }")
    assert "a string of one line is taken as a path" in str(caught.value)
    with pytest.raises(s2.SpecError, match="<text>:1:1"):
        s2.compile("specs/digits.arch\n")


def test_one_set_of_weights_at_two_sizes() -> None:
    small, large = s2.compile(TINY), s2.compile(TINY, size=48)
    large.load_state_dict(small.state_dict())
    assert large(torch.zeros(1, 3, 48, 48)).shape == (1, 1000)
    assert (
        s2.analyze(TINY).weight_hash
        == s2.analyze(TINY, size=48).weight_hash
        != s2.analyze(TINY, width=12).weight_hash
    )


def test_analyze_reports_claims_that_fail() -> None:
    analysis = s2.analyze(TINY + "claim tiny { params() == 1 }\n")
    assert [claim.verdict for claim in analysis.claims] == ["fails"]
    assert not analysis.holds


def test_wrong_spec_raises_with_the_place() -> None:
    with pytest.raises(s2.SpecError) as caught:
        s2.compile(TINY.replace("width = 8", "width = 9"))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code.number == "A0203"
    assert "the map here has 9 channels" in str(caught.value)


def test_choices_are_asked_for() -> None:
    with pytest.raises(s2.ChoiceError, match="no model `nope`; there is `s2mlp`"):
        s2.compile(SPECS / "s2mlp.arch", "nope")
    with pytest.raises(s2.ChoiceError, match="needs `width`, `depth`"):
        s2.compile(SPECS / "s2mlp.arch")
    with pytest.raises(s2.ChoiceError, match="has no parameter `widht`"):
        s2.compile(TINY, widht=4)


def test_verify_certifies() -> None:
    certificate = s2.verify(TINY)
    assert certificate.passed
    assert certificate.model == "tiny"
    assert certificate.versions["torch"] == torch.__version__


def test_threads_share_one_module_for_one_text() -> None:
    """However many build it at the same time, and no call leaves anything behind."""
    program = s2.elaborate(TINY.replace("tiny", "threaded"))
    before = (program.model, dict(program.settings), program.source().text)
    with ThreadPoolExecutor(8) as pool:
        nets = list(pool.map(lambda _: program.build(), range(16)))
        texts = set(pool.map(lambda _: program.emit("ir-json"), range(16)))
    assert len({type(net) for net in nets}) == len(texts) == 1
    assert before == (program.model, program.settings, program.source().text)


def test_diagrams(tmp_path: Path) -> None:
    picture = s2.diagram(TINY, view="shift", theme="dark", classes=3)
    assert picture.save(tmp_path / "a" / "tiny.png").read_bytes().startswith(b"\x89PNG")
    assert "cross, edge keep" in picture.save(tmp_path / "tiny.svg").read_text()
    assert picture.save(tmp_path / "tiny.gv").read_text() == str(picture.graph)
    with pytest.raises(ValueError, match=r"'\.jpg'.* \.dot, \.svg"):
        picture.save(tmp_path / "tiny.jpg")
    assert "torch.fx graph of tiny" in s2.diagram(TINY, view="graph")._repr_svg_()


def test_what_a_notebook_shows() -> None:
    program = s2.elaborate(TINY)
    assert program._repr_svg_().startswith("<svg")
    analysis = s2.analyze(TINY + "claim tiny { params() < 1 }\n")
    shown = analysis._repr_html_()
    assert f"{analysis.params:,} params" in shown
    assert "params() &lt; 1" in shown
    assert "fails" in shown
    open_model = s2.load(SPECS / "s2mlp.arch")
    (one,) = check_spec(open_model).analyses
    assert "unbound parameters: width, depth" in one._repr_html_()
