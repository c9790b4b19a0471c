"""Hostile names and docstrings: refused, or harmless in every artifact."""

import ast
import builtins
import json
import re
import struct
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import torch
from safetensors.torch import load as load_tensors

from s2mlp_dsl.api import Program, elaborate
from s2mlp_dsl.ir.walk import occurrences
from s2mlp_dsl.lower.onnx import STATEMENT, run_onnx
from s2mlp_dsl.lower.source_check import check_source
from s2mlp_dsl.weights.match import stored_in
from tests.hostile import BOOM, HOSTILE
from tests.targets.hostile import (
    GIVEN,
    docs,
    everything,
    labels,
    program,
    spec,
)


def test_there_are_two_hundred() -> None:
    assert len(set(HOSTILE)) >= 200


def _opened(made: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """Execute or parse each artifact; nothing but torch may be imported."""
    wanted = set()
    real = builtins.__import__

    def watched(name: str, *rest: Any, **more: Any) -> Any:
        wanted.add(name.partition(".")[0])
        return real(name, *rest, **more)

    text = made.emit("torch").decode()
    check_source(text)
    fx = made.emit("fx").decode()
    tree = ast.parse(fx)
    kinds = [type(one) for one in tree.body]
    assert kinds == [ast.Expr, ast.FunctionDef]
    assert not ast.get_docstring(tree) or BOOM not in fx.partition('"""\n\n\n')[2]
    with monkeypatch.context() as patch:
        patch.setattr(builtins, "__import__", watched)
        exec(compile(text, "<hostile>", "exec"), {"__name__": "hostile"})
    assert wanted <= {"torch", "collections"}
    document = json.loads(made.emit("ir-json"))
    assert document["model"]["name"] == made.model.name
    again = elaborate(made.emit("ir").decode())
    assert again.model == made.model
    name = made.model.name
    assert name.isidentifier() and name.isascii()


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_as_a_name(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in (spec(name=HOSTILE[number]), spec(label=HOSTILE[number])):
        made = program(text)
        if made is not None:
            _opened(made, monkeypatch)


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_as_a_docstring(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made = program(spec(doc=HOSTILE[number]))
    if made is not None:
        _opened(made, monkeypatch)


def test_some_are_taken_and_some_refused() -> None:
    """Else the tests here would have looked at nothing."""
    assert 40 <= len(labels()) < len(set(HOSTILE)) - 100
    assert len(docs()) >= 130


# every text at once, in each artifact, opened by what it is for


def _harmless(text: str) -> None:
    assert BOOM not in text and "<script" not in text and "onerror" not in text


def test_in_pictures() -> None:
    """Text stays text: no element and no attribute of any other kind."""
    picture = everything().diagram()
    root = ElementTree.fromstring(picture.render("svg"))
    shapes = {"svg", "g", "title", "desc", "text", "tspan", "path", "polygon"}
    shapes |= {"ellipse", "polyline", "rect", "line", "style", "defs", "circle", "a"}
    for one in root.iter():
        assert isinstance(one.tag, str)  # comments and instructions are not
        assert one.tag.rpartition("}")[2] in shapes
        assert not any(name.lower().startswith("on") for name in one.attrib)
        assert not any("href" in name for name in one.attrib)
    # Each label is in one quoted string of the source.
    strings = re.findall(r'"(?:[^"\\]|\\.)*"', str(picture.graph), re.DOTALL)
    rest = str(picture.graph)
    for one in strings:
        rest = rest.replace(one, "")
    _harmless(rest)


def test_in_weights() -> None:
    made = everything()
    data = made.emit("safetensors")
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    said = header.pop("__metadata__")
    assert said == {"format": "pt", **made.metadata}
    assert said["s2mlp_dsl.spec"] == GIVEN
    assert set(load_tensors(data)) == set(header) == set(stored_in(made.model))
    assert len(header) == 2 * len(labels())
    assert all(re.fullmatch(r"\w+\.(weight|bias)", name, re.ASCII) for name in header)


def test_in_an_exported_program(tmp_path: Path) -> None:
    made = everything(blocks=False)
    net, x = made.build(), torch.randn(3, 2, 2, 2)
    file = tmp_path / "net.pt2"
    file.write_bytes(made.emit("export", net))
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            assert not name.startswith("/") and ".." not in name.split("/")
            assert name.isascii() and name.isprintable()
    extra = {"s2mlp_dsl.json": ""}
    loaded = torch.export.load(file, extra_files=extra)
    assert json.loads(extra["s2mlp_dsl.json"])["s2mlp_dsl.spec"] == GIVEN
    assert torch.equal(loaded.module()(x), net(x))
    _harmless(loaded.graph_module.code)


def test_in_onnx() -> None:
    onnx = pytest.importorskip("onnx")
    made = everything(blocks=False)
    net, x = made.build(), torch.randn(3, 2, 2, 2)
    data = made.emit("onnx", net)
    torch.testing.assert_close(run_onnx(data, x), net(x), rtol=1e-4, atol=1e-4)
    proto = onnx.load_from_string(data)
    said = {one.key: one.value for one in proto.metadata_props}
    assert said == made.metadata  # the file's name, and nothing else
    assert (proto.graph.name, proto.graph.doc_string, proto.doc_string) == ("m", "", "")
    known = {visit.path for visit in occurrences(made.model, each=True)}
    for node in proto.graph.node:
        assert {one.key for one in node.metadata_props} <= {STATEMENT}
        assert {one.value for one in node.metadata_props} <= known
        for name in (node.name, *node.input, *node.output):
            assert name.isascii() and name.isprintable()
            _harmless(name)


def test_in_source_and_json(monkeypatch: pytest.MonkeyPatch) -> None:
    made = everything()
    _opened(made, monkeypatch)
    document = json.loads(made.emit("ir-json"))
    assert document["spec"] == GIVEN
    found = {block["doc"] for block in document["model"]["blocks"]} - {None}
    assert len(found) > 100 and any(BOOM in one for one in found)
