"""The model as ONNX, checked and run once before it is handed out.

The extra `onnx` brings what it needs: onnx, onnxscript and onnxruntime.
"""

import copy
import importlib.util
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.export import ExportedProgram

from s2mlp_dsl.diagnostics.catalogue import targets
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.ir.shape import Vector
from s2mlp_dsl.lower.errors import CannotLower
from s2mlp_dsl.lower.export import export_program, first_refused, quiet, reason_of

LARGEST = 2**31 - 1  # bytes of a protobuf message
TOLERANCE = 1e-4  # of the largest value, float32
ROUNDING = 4  # times the rounding error of PyTorch itself, where that is more
# The metadata of a node: which statement it belongs to.
STATEMENT = "statement"
# How the exporter says it; ONNX has no field for it, so both are the exporter's own.
_SCOPES, _NO_SCOPE = "pkg.torch.onnx.name_scopes", "_empty_nn_module"


class OnnxMissing(Exception):
    """The extra is not installed."""

    exit_code = 2


def missing() -> list[str]:
    """The packages of the extra that are not installed."""
    names = ("onnx", "onnxscript", "onnxruntime")
    return [one for one in names if importlib.util.find_spec(one) is None]


def check_size(model: Model, size: int) -> None:
    """Raise `CannotLower` for more bytes of weights than one ONNX file may have."""
    if size > LARGEST:
        raise CannotLower(targets.ONNX_TOO_LARGE, model, size=size, limit=LARGEST)


def onnx_bytes(
    model: Model, module: nn.Module, metadata: Mapping[str, str] | None = None
) -> bytes:
    """The file of a built model. Raises `OnnxMissing` and `CannotLower`."""
    if needed := missing():
        raise OnnxMissing(
            f"ONNX needs {', '.join(needed)}: pip install 's2mlp-dsl[onnx]'"
        )
    import onnx

    check_size(model, sum(one.nbytes for one in module.state_dict().values()))
    proto = _exported(model, module)
    _clean(proto)
    for key, value in (metadata or {}).items():
        proto.metadata_props.add(key=key, value=value)
    proto.producer_name = "s2mlp-dsl"
    proto.producer_version = (metadata or {}).get("s2mlp_dsl.version", "")
    proto.graph.name = model.name
    data: bytes = proto.SerializeToString(deterministic=True)
    random = torch.Generator().manual_seed(0)
    image = torch.randn(1, *model.input_size, generator=random)
    try:
        onnx.checker.check_model(data, full_check=True)
        found = run_onnx(data, image)
    except Exception as error:  # of many types, none of them documented
        raise CannotLower(
            targets.ONNX_FAILED, model, reason=reason_of(error)
        ) from error
    _check_result(model, module, image, found)
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


def _exported(model: Model, module: nn.Module) -> Any:
    """The exporter's model; with fixed sides where ONNX cannot express free ones.

    ONNX's remainder, which `circular` and `reflect` need, takes no length that is
    known only when the model runs.
    """
    result = "logits" if isinstance(model.result, Vector) else "map"
    failed: Exception | None = None
    for any_size in (True, False):
        exported = export_program(model, module, any_size=any_size)
        try:
            return _converted(exported, result)
        except Exception as error:  # of many types, none of them documented
            failed = error
    assert failed is not None
    raise CannotLower(
        targets.ONNX_FAILED,
        model,
        statement=first_refused(model, module, _convert_alone),
        reason=reason_of(failed),
    ) from failed


def _converted(exported: ExportedProgram, result: str) -> Any:
    with quiet():
        made = torch.onnx.export(
            exported,
            dynamo=True,
            input_names=["image"],
            output_names=[result],
            verbose=False,
        )
    assert made is not None
    return made.model_proto


def _convert_alone(part: nn.Module, x: torch.Tensor) -> None:
    with quiet():
        _converted(torch.export.export(part, (x,), strict=False), "map")


def _clean(proto: Any) -> None:
    """Name the axes, and remove everything about the machine it was made on.

    The exporter writes the stack trace of every node, with paths; only the statement is
    kept of it.
    """
    for function in proto.functions:
        del function.metadata_props[:]
    del proto.graph.metadata_props[:]
    for node in proto.graph.node:
        kept = {one.key: one.value for one in node.metadata_props}
        del node.metadata_props[:]
        names = [one.strip(" '\"[]") for one in kept.get(_SCOPES, "").split(",")]
        if len(names) > 1 and not names[-2].startswith(_NO_SCOPE):
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


def _check_result(
    model: Model, module: nn.Module, image: torch.Tensor, found: torch.Tensor
) -> None:
    """Raise `CannotLower` unless ONNX Runtime computes what the module does."""
    with torch.no_grad():
        wanted = module.eval()(image)
    error = relative_error(found, wanted)
    if not wanted.isfinite().all():
        raise CannotLower(targets.RESULT_NOT_FINITE, model)
    if not (error <= TOLERANCE or error <= ROUNDING * rounding_error(module, image)):
        raise CannotLower(targets.ONNX_DIFFERS, model, error=error)


def relative_error(found: torch.Tensor, wanted: torch.Tensor) -> float:
    """The largest difference, relative to the largest wanted value."""
    return float((found - wanted).abs().max() / wanted.abs().max().clamp_min(1e-12))


def rounding_error(module: nn.Module, image: torch.Tensor) -> float:
    """The relative error of PyTorch's own results in float32, against float64."""
    with torch.no_grad():
        exact = copy.deepcopy(module).double()(image.double())
        return relative_error(module(image).double(), exact)
