"""Every target is opened by what it is for, and computes what the module does."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load
from torch import nn

from s2mlp_dsl.api import elaborate, verify
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.lower.errors import CannotLower
from s2mlp_dsl.lower.export import export_program, size_step
from s2mlp_dsl.lower.onnx import STATEMENT, onnx_bytes, run_onnx
from s2mlp_dsl.targets import TARGETS
from s2mlp_dsl.targets.ir_json import ir_schema
from tests.cli.running import ROOT, s2mlp
from tests.lower.specs import EVERY, program
from tests.lower.specs import SMALL as SMALL_ONES

SMALL = """edition 1

shift cross {
    edge EDGE
    1/4 right
    1/4 left
    1/4 down
    1/4 up
}

model small {
    image(3, 12, 8)
    patch(2, 8)
    residual {
        linear(dim)
        gelu
        mixed: shift(cross)
        norm(layer, eps = 1/1000)
    }
    pool(mean)
    linear(5)
}
"""
EDGES = ("keep", "replicate", "zeros", "circular", "reflect")


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def small(edge: str = "keep") -> str:
    return SMALL.replace("EDGE", edge)


# text


@pytest.mark.parametrize("name", EVERY)
def test_ir_json_comes_back(name: str) -> None:
    one = program(name)
    document = json.loads(one.emit("ir-json"))
    assert Model.model_validate(document["model"]) == one.model
    assert document["function_hash"] == one.analysis.function_hash
    assert document["weight_hash"] == one.analysis.weight_hash


def test_the_schema_is_published(golden: Callable[[Path, str], None]) -> None:
    text = json.dumps(ir_schema(), indent=1, sort_keys=True) + "\n"
    golden(ROOT / "docs" / "ir.schema.json", text)


def test_the_schema_holds_and_refuses() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    checker = jsonschema.Draft202012Validator(ir_schema())
    for name in ("digits", "stacks", "many_groups"):
        checker.validate(json.loads(program(name).emit("ir-json")))
    document = json.loads(program("digits").emit("ir-json"))
    document["model"]["body"][1]["operator"] = 3
    assert not checker.is_valid(document)


@pytest.mark.parametrize("name", [name for name in TARGETS if not TARGETS[name].binary])
def test_text_is_the_same_in_another_process(name: str, tmp_path: Path) -> None:
    out = tmp_path / "made"
    spec = "specs/digits.arch"
    assert s2mlp("compile", spec, "--emit", name, "-o", out).returncode == 0
    assert out.read_bytes() == elaborate(spec).emit(name) or name == (
        "torch"  # its header has the command, which knows the file
    )
    assert s2mlp("compile", spec, "--emit", name, "-o", out, "--check").returncode == 0


def test_fx_code_runs_on_the_module() -> None:
    one = elaborate(small())
    text = one.emit("fx").decode()
    namespace: dict[str, object] = {"torch": torch}
    exec(text, namespace)
    forward = namespace["forward"]
    assert callable(forward)
    net, x = one.build(), torch.randn(2, 3, 12, 8)
    assert torch.equal(forward(net, x), net(x))
    assert "mixed = self.mixed(gelu)" in text
    assert one.analysis.function_hash is not None
    assert one.analysis.function_hash in text


@pytest.mark.parametrize("target", ["fx", "safetensors"])
def test_shifts_that_slices_refuse(target: str) -> None:
    """Only a shift implementation that was asked for is insisted on."""
    assert elaborate(small("reflect")).emit(target)
    with pytest.raises(CannotLower, match="A0903"):
        elaborate(small("reflect")).emit(target, lowering="slices")


# weights


def test_safetensors_says_what_it_is() -> None:
    one = elaborate(small())
    net = one.build()
    data = one.emit("safetensors", net)
    assert data == one.emit("safetensors", net)
    tensors = load(data)
    assert set(tensors) == set(net.state_dict())
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensors[name], tensor)


def test_the_command_writes_and_holds_weights(tmp_path: Path) -> None:
    out = tmp_path / "small.safetensors"
    (tmp_path / "small.arch").write_text(small())
    words = ["compile", "small.arch", "--emit", "safetensors", "-o", out]
    assert s2mlp(*words, cwd=tmp_path).returncode == 0
    with safe_open(str(out), "pt") as file:
        said = file.metadata()
    analysis = elaborate(small()).analysis
    assert said["s2mlp_dsl.function_hash"] == analysis.function_hash
    assert said["s2mlp_dsl.weight_hash"] == analysis.weight_hash
    assert said["s2mlp_dsl.model"] == "small"
    assert s2mlp(*words, "--check", cwd=tmp_path).returncode == 0
    stale = s2mlp(*words, "--seed", "1", "--check", cwd=tmp_path)
    assert (stale.returncode, stale.stderr) == (
        1,
        f"{out} is out of date\n",
    )
    again = ["--weights", out, "--check"]
    assert s2mlp(*words, *again, cwd=tmp_path).returncode == 0

    # the weights of another version of the model
    (tmp_path / "small.arch").write_text(small().replace("linear(5)", "linear(7)"))
    words[-1] = tmp_path / "seven.safetensors"
    refused = s2mlp(*words, "--weights", out, cwd=tmp_path)
    assert refused.returncode == 2
    assert "new: linear2.weight (5×8 there, 7×8 here)" in refused.stderr
    assert "--partial would load" in refused.stderr
    taken = s2mlp(*words, "--weights", out, "--partial", cwd=tmp_path)
    assert taken.returncode == 0
    assert "6 of 8 tensors" in taken.stderr


# exported programs

LOAD = """
import sys, torch
assert "s2mlp_dsl" not in sys.modules
extra = {"s2mlp_dsl.json": ""}
net = torch.export.load("net.pt2", extra_files=extra).module()
print(extra["s2mlp_dsl.json"])
x = torch.load("x.pt")
torch.save(net(x), "y.pt")
"""


def test_export_is_loaded_without_this_package(tmp_path: Path) -> None:
    one = elaborate(small())
    net, x = one.build(), torch.randn(5, 3, 6, 10)
    (tmp_path / "net.pt2").write_bytes(one.emit("export", net))
    torch.save(x, tmp_path / "x.pt")
    words = [sys.executable, "-c", LOAD]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["s2mlp_dsl.function_hash"] == one.analysis.function_hash
    assert torch.equal(torch.load(tmp_path / "y.pt"), net(x))


@pytest.mark.parametrize("edge", EDGES)
def test_export_takes_maps_down_to_one_row(edge: str) -> None:
    one = elaborate(small(edge))
    net = one.build(lowering="select")
    made = export_program(one.model, net)
    assert size_step(one.model, "height") == size_step(one.model, "width") == 2
    (name,) = made.graph_signature.user_inputs
    (image,) = (node for node in made.graph.nodes if node.name == name)
    assert not any(isinstance(side, int) for side in image.meta["val"].shape[-2:])
    exported = made.module()
    for batch, height, width in ((1, 2, 2), (3, 2, 6), (2, 14, 2), (1, 12, 8)):
        x = torch.randn(batch, 3, height, width)
        assert torch.equal(exported(x), net(x))


def test_export_refuses_what_patches_do_not_divide() -> None:
    one = elaborate(small())
    exported = export_program(one.model, one.build(lowering="select")).module()
    with pytest.raises(Exception, match="Guard failed"):
        exported(torch.randn(1, 3, 7, 8))


ONE_POSITION = """edition 1
model m {
    image(4, 1, 1)
    gelu
    attention(2)
}
"""


class Undecided(torch.nn.Module):
    """Reads a value to choose what to compute, which no exporter can follow."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x if x.sum() > 0 else -x


def test_export_says_which_statement_it_refuses() -> None:
    one = elaborate(ONE_POSITION)
    module = one.build()
    module.attention = Undecided()
    with pytest.raises(CannotLower) as raised:
        export_program(one.model, module)
    (said,) = raised.value.diagnostics
    assert (said.code.number, said.primary.span.line) == ("A0901", 5)
    assert said.primary.text.startswith("torch.export: ")
    assert raised.value.statement == "attention"


# ONNX


def test_onnx_runs_on_maps_of_any_size() -> None:
    one = elaborate(small())
    net = one.build()
    data = one.emit("onnx", net)
    for batch, height, width in ((1, 2, 2), (3, 2, 6), (2, 14, 4), (1, 12, 8)):
        x = torch.randn(batch, 3, height, width)
        torch.testing.assert_close(run_onnx(data, x), net(x), rtol=1e-4, atol=1e-4)


# Of the same program with longer and longer names, two are enough.
AWKWARD = [one for one in SMALL_ONES if "names_of_" not in one and one != "many_groups"]
AWKWARD += ["names_of_40", "names_of_120"]


@pytest.mark.parametrize(
    "name",
    ["many_groups", *(pytest.param(n, marks=pytest.mark.slow) for n in AWKWARD)],
)
def test_onnx_of_awkward_programs(name: str) -> None:
    """`circular` and `reflect` need fixed sides there; the batch is free."""
    one = program(name)
    net = one.build().eval()
    assert one.analysis.image is not None
    x = torch.randn(3, *one.analysis.image)
    found = run_onnx(one.emit("onnx", net), x)
    torch.testing.assert_close(found, net(x), rtol=1e-4, atol=1e-4)


def test_onnx_says_what_it_is_and_nothing_of_this_machine() -> None:
    onnx = pytest.importorskip("onnx")
    one = elaborate(small())
    net = one.build()
    data = one.emit("onnx", net)
    assert data == one.emit("onnx", net)
    proto = onnx.load_from_string(data)
    said = {entry.key: entry.value for entry in proto.metadata_props}
    assert said["s2mlp_dsl.weight_hash"] == one.analysis.weight_hash
    axes = [dim.dim_param for dim in proto.graph.input[0].type.tensor_type.shape.dim]
    assert axes == ["batch", "", "height", "width"]
    assert proto.graph.output[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert str(Path(torch.__file__).parent).encode() not in data
    assert b"compiled" not in data
    places = {
        entry.value
        for node in proto.graph.node
        for entry in node.metadata_props
        if entry.key == STATEMENT
    }
    assert {"patch", "mixed", "norm", "pool"} <= places


def test_onnx_that_computes_something_else_is_not_handed_out() -> None:
    one = elaborate(small())

    class Different(nn.Module):
        def __init__(self, net: nn.Module) -> None:
            super().__init__()
            self.net = net

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y: torch.Tensor = self.net(x)
            return y + 1 if torch.compiler.is_exporting() else y

    with pytest.raises(
        CannotLower, match=r"A0902.*\n.*\n.*\n.*small.*\n.*ONNX Runtime"
    ):
        onnx_bytes(one.model, Different(one.build()))


FLAT = """edition 1
model flat {
    image(1, 4, 4)
    scale(1e30)
    scale(1e30)
}
"""


def test_the_command_says_what_a_target_cannot_say(tmp_path: Path) -> None:
    (tmp_path / "flat.arch").write_text(FLAT)
    words = ["compile", "flat.arch", "--emit", "onnx", "-o", "flat.onnx"]
    done = s2mlp(*words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error[A0902]: target computes a different result\n")
    assert "--> flat.arch:2:7" in done.stderr
    done = s2mlp(*words, "--format", "json", cwd=tmp_path)
    (said,) = json.loads(done.stdout)["diagnostics"]
    assert (done.returncode, said["code"], said["line"]) == (1, "A0902", 2)
    assert not (tmp_path / "flat.onnx").exists()


def test_verify_says_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    export = torch.export.export

    def refuses(module: torch.nn.Module, *given: Any, **more: Any) -> Any:
        if any(type(one).__name__ == "Attention" for one in module.modules()):
            raise RuntimeError("attention is not for export")
        return export(module, *given, **more)

    monkeypatch.setattr(torch.export, "export", refuses)
    certificate = verify(ONE_POSITION, backends=["export"])
    (failure,) = certificate.as_data()["checks"][-2]["failures"]
    assert (failure["code"], failure["line"]) == ("A0901", 5)
    assert "torch.export: attention is not for export" in failure["message"]


# usage


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--check"], "--check needs the file"),
        (["--emit", "onnx"], "onnx is binary"),
        (["--emit", "export", "-o", "x.pt2", "--check"], "differs each time"),
        (["--weights", "x"], "--weights needs a binary target"),
        (["--emit", "onnx", "-o", "x", "--partial"], "--partial needs --weights"),
        (["--lowering", "magic"], "Invalid value"),
    ],
)
def test_wrong_usage(words: list[str], said: str) -> None:
    done = s2mlp("compile", "specs/digits.arch", *words)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_stale_file_is_said(tmp_path: Path) -> None:
    out = tmp_path / "digits.py"
    words = ["compile", "specs/digits.arch", "-o", out]
    assert s2mlp(*words, "--check").returncode == 1
    assert s2mlp(*words).returncode == 0
    assert s2mlp(*words, "--check").returncode == 0
    out.write_text(out.read_text().replace("64", "65", 1))
    assert s2mlp(*words, "--check").returncode == 1


def test_every_target_is_tried_here() -> None:
    assert set(TARGETS) == {
        *("torch", "export", "onnx", "safetensors", "ir", "ir-json", "fx")
    }
