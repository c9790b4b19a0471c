"""The model as ONNX, checked and run once before it is handed out.

The extra `onnx` brings what it needs: onnx, onnxscript and onnxruntime.
"""

import importlib.util
from typing import Any

import numpy as np
import torch
from torch import nn

from s2mlp_dsl.emit.export import export_program, quiet
from s2mlp_dsl.emit.identity import Identity
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.ir.shape import Vector

TOLERANCE = 1e-4  # of the largest value, float32
LARGEST = 2**31 - 1  # bytes of a protobuf message
# Where a node says which statement it belongs to.
STATEMENT = "statement"
_NOWHERE = "_empty_nn_module"  # what the exporter writes where no module is known


class OnnxFailed(Exception):
    """ONNX cannot say this model, or ONNX Runtime computes something else."""

    exit_code = 1


class OnnxMissing(Exception):
    """The extra is not installed."""

    exit_code = 2


def onnx_bytes(model: Model, module: nn.Module, identity: Identity) -> bytes:
    """The file of a built model. Raises `OnnxMissing` and `OnnxFailed`."""
    if needed := missing():
        raise OnnxMissing(
            f"ONNX needs {', '.join(needed)}: pip install 's2mlp-dsl[onnx]'"
        )
    import onnx

    proto = _exported(model, module)
    _harmless(proto)
    for key, value in identity.metadata().items():
        proto.metadata_props.add(key=key, value=value)
    proto.producer_name, proto.producer_version = "s2mlp-dsl", identity.version
    proto.graph.name = model.name
    if proto.ByteSize() > LARGEST:
        raise OnnxFailed(f"{model.name} has more weights than one ONNX file may hold")
    data: bytes = proto.SerializeToString(deterministic=True)
    onnx.checker.check_model(data, full_check=True)
    _run(model, module, data)
    return data


def run_onnx(data: bytes, image: torch.Tensor) -> torch.Tensor:
    """What ONNX Runtime computes on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        data, options, providers=["CPUExecutionProvider"]
    )
    (result,) = session.run(None, {"image": np.ascontiguousarray(image.numpy())})
    return torch.from_numpy(result)


def missing() -> list[str]:
    """The packages of the extra that are not installed."""
    names = ("onnx", "onnxscript", "onnxruntime")
    return [one for one in names if importlib.util.find_spec(one) is None]


def _exported(model: Model, module: nn.Module) -> Any:
    """The exporter's model; with fixed sides where free ones cannot be said.

    ONNX's remainder, which `wrap` and `reflect` need, takes no length that is
    only known when the model runs.
    """
    result = "logits" if isinstance(model.result, Vector) else "map"
    failed: Exception | None = None
    for any_size in (True, False):
        with quiet():
            try:
                made = torch.onnx.export(
                    export_program(model, module, any_size=any_size),
                    dynamo=True,
                    input_names=["image"],
                    output_names=[result],
                    verbose=False,
                )
            except Exception as error:  # of many types, none of them documented
                failed = error
                continue
        assert made is not None
        return made.model_proto
    reason = str(failed).strip().splitlines()
    raise OnnxFailed(
        f"ONNX cannot express {model.name}: {reason[0] if reason else failed}"
    ) from failed


def _harmless(proto: Any) -> None:
    """Names for the axes; nothing of the machine it was made on.

    The exporter writes the stack trace of every node, with paths; the statement
    is what is kept of it.
    """
    for function in proto.functions:
        del function.metadata_props[:]
    del proto.graph.metadata_props[:]
    for node in proto.graph.node:
        kept = {one.key: one.value for one in node.metadata_props}
        scopes = kept.get("pkg.torch.onnx.name_scopes", "")
        del node.metadata_props[:]
        names = [one.strip(" '\"") for one in scopes.strip("[]").split(",")]
        if len(names) > 1 and not names[-2].startswith(_NOWHERE):
            node.metadata_props.add(key=STATEMENT, value=names[-2])
        node.doc_string = ""
    for one in (*proto.graph.initializer, *proto.graph.input, *proto.graph.output):
        del one.metadata_props[:]
        one.doc_string = ""
    del proto.graph.value_info[:]  # inferred again by whoever loads it
    image = proto.graph.input[0].type.tensor_type.shape.dim
    frames = ("time",) if len(image) == 5 else ()
    sides = ("batch", "channels", *frames, "height", "width")
    axes = {dim.dim_param: name for dim, name in zip(image, sides, strict=True)}
    for value in (*proto.graph.input, *proto.graph.output):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param and dim.dim_param in axes:
                dim.dim_param = axes[dim.dim_param]


def _run(model: Model, module: nn.Module, data: bytes) -> None:
    """One random image through ONNX Runtime and through the module."""
    x = torch.randn(1, *model.input_size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        wanted = module.eval()(x)
    found = run_onnx(data, x)
    error = float((found - wanted).abs().max() / wanted.abs().max().clamp_min(1e-12))
    if not error <= TOLERANCE:
        raise OnnxFailed(
            f"ONNX Runtime is off by {error:.2g} of the largest value of {model.name}"
        )
