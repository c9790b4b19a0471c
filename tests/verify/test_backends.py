"""Every backend against the reference, and faults that only some have."""

from pathlib import Path

import pytest
import torch

from s2mlp_dsl.api import elaborate, verify
from s2mlp_dsl.registry import forget_packages
from s2mlp_dsl.verify.backend_checks import check_backends
from s2mlp_dsl.verify.backends import BACKENDS, default_backends
from s2mlp_dsl.verify.certificate import Check
from s2mlp_dsl.verify.verify import shortened
from tests.lower.specs import MADE_UP, SMALL, program
from tests.verify.planting import LINES, PROGRAM, lowering_writes

DEFAULT = default_backends(full=False)


def _checks(*backends: str) -> dict[str, Check]:
    return {check.name: check for check in check_backends(PROGRAM, backends, seed=0)}


def test_a_right_program_on_every_default_backend() -> None:
    found = _checks(*DEFAULT)
    labels = {name: BACKENDS[name](name).label for name in DEFAULT}
    where = "cuda" if torch.cuda.is_available() else "cpu"
    assert labels.pop("gpu") == f"gpu lowering (run on {where})"
    assert {*labels} == {*labels.values()}
    names = [*labels, f"gpu lowering (run on {where})"]
    assert [one.failures for one in found.values() if not one.passed] == []
    assert set(found) == {
        "gradients",
        *(f"{name} values" for name in names),
        *(f"{name} gradients" for name in names if name != "onnx"),
        *(f"{name} values bfloat16" for name in names),
        *(f"{name} gradients bfloat16" for name in names if name != "onnx"),
    }
    omitted = found.pop("onnx values bfloat16")
    assert (omitted.cases, omitted.worst, omitted.tolerance) == (0, None, None)
    assert omitted.omitted is not None and "ONNX Runtime has no" in omitted.omitted
    for check in found.values():
        assert check.cases and check.at and check.omitted is None
        assert check.evidence == "verified" and check.inputs[0][1:] == (3, 12, 16)
        assert check.worst is not None and check.tolerance is not None
        assert 0 < check.worst < check.tolerance


def test_emitted_runs_as_the_command_line_starts_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    assert all(check.passed for check in _checks("emitted").values())


@pytest.mark.slow
def test_a_right_program_compiled() -> None:
    assert all(check.passed for check in _checks("compile").values())


@pytest.mark.slow
def test_the_deep_model_compiled() -> None:
    """At its published width and size, two of its blocks."""
    short = shortened(elaborate("specs/s2mlp_deep.arch"))
    checks = check_backends(short, ("compile",), seed=0)
    assert [one.failures for one in checks if not one.passed] == []
    assert {"compile values", "compile gradients bfloat16"} <= {c.name for c in checks}


@pytest.mark.parametrize("name", [one for one in SMALL if "names_of_" not in one])
def test_awkward_programs_on_cheap_backends(name: str) -> None:
    checks = check_backends(shortened(program(name)), ("eager", "fx"), seed=0)
    assert [one.failures for one in checks if not one.passed] == []


def test_a_fault_of_exported_programs_alone() -> None:
    """`select` is what exports get: the module itself is right."""
    with lowering_writes("move", "- step", "+ step"):
        found = _checks("eager", "export")
    assert found["eager values"].passed
    assert found["eager gradients"].passed
    check = found["export values"]
    assert not check.passed
    (failure,) = check.failures
    assert (failure.statement, failure.line) == ("stack.0.shift", LINES["shift(cross)"])
    assert failure.message.startswith("as export: alone, ")


def test_a_fault_of_the_module() -> None:
    with lowering_writes("slide", "if down > 0", "if down < 0"):
        found = _checks("eager", "fx", "onnx")
    assert not found["eager values"].passed
    assert not found["fx values"].passed
    assert found["onnx values"].passed
    assert found["eager values"].failures[0].statement == "stack.0.shift"


def test_a_backend_that_does_not_run() -> None:
    first, wrong = "    y_XHWC = x_XHWC\n", "    y_XHWC = x_XHWC.amax(9)\n"
    with lowering_writes("move", first, wrong):
        found = _checks("export")
    (failure,) = found["export values"].failures
    assert "Dimension out of range" in failure.message


def test_shortened_keeps_every_block() -> None:
    deep = elaborate("specs/s2mlp_deep.arch")
    short = shortened(deep)
    assert short.analysis.params is not None
    assert deep.analysis.params is not None
    assert short.analysis.params < deep.analysis.params / 8
    names = [key for key in short.build().state_dict() if key.startswith("stack.")]
    assert {name.split(".")[1] for name in names} == {"0", "1"}
    stacks = shortened(program("stacks"))
    assert [block.name for block in stacks.model.blocks] == [
        block.name for block in program("stacks").model.blocks
    ]


def test_the_certificate_has_the_backends() -> None:
    spec = f"edition 1\n{MADE_UP['ends_in_a_residual']}"
    data = verify(spec, backends=["fx"]).as_data()
    assert data["passed"]
    values = next(one for one in data["checks"] if one["name"] == "fx values")
    assert values["at"] == "+1"
    assert values["tolerance"] == 1e-4
    assert {*default_backends(full=True)} - {*DEFAULT} == {"compile"}


def test_onnx_runtime_computes_nothing_in_bfloat16() -> None:
    """As the certificate says. If this fails, it can be compared after all."""
    onnx = pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    make, kind = onnx.helper, onnx.TensorProto.BFLOAT16
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    for operator in ("MatMul", "Add", "Conv"):
        size = [2, 2, 2, 2]
        a, b, y = (make.make_tensor_value_info(one, kind, size) for one in "aby")
        node = make.make_node(operator, ["a", "b"], ["y"])
        graph = make.make_graph([node], "g", [a, b], [y])
        opset = make.make_opsetid("", 20)
        proto = make.make_model(graph, opset_imports=[opset], ir_version=10)
        with pytest.raises(Exception, match=r"NOT_IMPLEMENTED|INVALID_GRAPH"):
            runtime.InferenceSession(
                proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )


LONG = elaborate(
    """edition 1
shift cross {
    edge keep
    1/2 right
    1/2 left
}
model long {
    image(4, 1, 600)
    linear(8)
    shift(cross)
}
"""
)


def test_a_fault_in_bfloat16_alone() -> None:
    """Positions counted in the map's own numbers: bfloat16 has none beyond 256."""
    right = "torch.arange(length, device=x_XHWC.device) - step"
    wrong = "(torch.arange(length, dtype=x_XHWC.dtype) - step).to(torch.int32)"
    with lowering_writes("move", right, wrong):
        names = ("eager", "export", "decomposed")
        found = {check.name: check for check in check_backends(LONG, names, seed=0)}
    failed = {name for name, check in found.items() if not check.passed}
    exported = {f"{name} values bfloat16" for name in names[1:]}
    assert failed - {name.replace("values", "gradients") for name in exported} == (
        exported
    )
    for name in exported:
        (failure,) = found[name].failures
        assert (failure.statement, failure.line) == ("shift", 10)


HALF = '''"""float16: a whole backend."""

import torch

from s2mlp_dsl.verify.backends import Backend


class Half(Backend):
    api = 1
    doc = "the module in float16"
    differentiable = trains = False

    def load(self, program, net):
        half = net.half()
        return lambda x: half(x.half()).to(x.dtype)
'''


def test_a_backend_of_a_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is known by name, runs when it is named, and is told by its error."""
    info = tmp_path / "others-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: others\nVersion: 1.0\n"
    )
    (info / "entry_points.txt").write_text(
        "[s2mlp_dsl.backends]\nhalf = half_backend:Half\n"
    )
    (tmp_path / "half_backend.py").write_text(HALF)
    monkeypatch.syspath_prepend(tmp_path)
    forget_packages()
    try:
        assert "half" in BACKENDS and "half" not in default_backends(full=True)
        values = _checks("half")["half values"]
        # Ten bits: more than float32 may lose, less than bfloat16 does.
        assert values.worst is not None and 1e-4 < values.worst < 1e-2
    finally:
        monkeypatch.undo()
        forget_packages()
