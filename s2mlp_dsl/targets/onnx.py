"""The model as ONNX, checked and run once before it is handed out.

The extra `onnx` brings what it needs: onnx, onnxscript and onnxruntime.
"""

import copy
import importlib.util
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.export import ExportedProgram

from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.ir.shape import Vector
from s2mlp_dsl.targets.codes import ANOTHER, NOT_SAID
from s2mlp_dsl.targets.export import export_program, first_refused, quiet
from s2mlp_dsl.targets.failed import TargetFailed, hold_size, reason_of
from s2mlp_dsl.targets.identity import Identity

TOLERANCE = 1e-4  # of the largest value, float32
ROUNDING = 4  # times what PyTorch itself rounds off, where that is more
# Where a node says which statement it belongs to.
STATEMENT = "statement"
_NOWHERE = "_empty_nn_module"  # what the exporter writes where no module is known


class OnnxMissing(Exception):
    """The extra is not installed."""

    exit_code = 2


def onnx_bytes(model: Model, module: nn.Module, identity: Identity) -> bytes:
    """The file of a built model. Raises `OnnxMissing` and `TargetFailed`."""
    if needed := missing():
        raise OnnxMissing(
            f"ONNX needs {', '.join(needed)}: pip install 's2mlp-dsl[onnx]'"
        )
    import onnx

    hold_size(model, sum(one.nbytes for one in module.state_dict().values()))
    proto = _exported(model, module)
    _harmless(proto)
    for key, value in identity.metadata().items():
        proto.metadata_props.add(key=key, value=value)
    proto.producer_name, proto.producer_version = "s2mlp-dsl", identity.version
    proto.graph.name = model.name
    data: bytes = proto.SerializeToString(deterministic=True)
    try:
        onnx.checker.check_model(data, full_check=True)
        found = run_onnx(data, image := _image(model))
    except Exception as error:  # of many types, none of them documented
        raise TargetFailed(NOT_SAID, model, f"ONNX: {reason_of(error)}") from error
    _hold(model, module, image, found)
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

    ONNX's remainder, which `circular` and `reflect` need, takes no length that is
    only known when the model runs.
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
    path = first_refused(model, module, _alone)
    said = f"ONNX: {reason_of(failed)}"
    raise TargetFailed(NOT_SAID, model, said, statement=path) from failed


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


def _alone(part: nn.Module, x: torch.Tensor) -> None:
    with quiet():
        _converted(torch.export.export(part, (x,), strict=False), "map")


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


def _image(model: Model) -> torch.Tensor:
    random = torch.Generator().manual_seed(0)
    return torch.randn(1, *model.input_size, generator=random)


def _hold(
    model: Model, module: nn.Module, image: torch.Tensor, found: torch.Tensor
) -> None:
    """What ONNX Runtime makes of the image, held to what the module does."""
    with torch.no_grad():
        wanted = module.eval()(image)
    error = off(found, wanted)
    if not wanted.isfinite().all():
        said = "in float32 the model's own results are not finite numbers"
        raise TargetFailed(ANOTHER, model, f"{said}, so nothing can be compared")
    if not (error <= TOLERANCE or error <= ROUNDING * rounding(module, image)):
        said = f"ONNX Runtime is off by {error:.2g} of the largest value"
        raise TargetFailed(ANOTHER, model, said)


def off(found: torch.Tensor, wanted: torch.Tensor) -> float:
    """The largest difference, in parts of the largest value that is wanted."""
    return float((found - wanted).abs().max() / wanted.abs().max().clamp_min(1e-12))


def rounding(module: nn.Module, image: torch.Tensor) -> float:
    """How far PyTorch's own results in float32 are off those in float64."""
    with torch.no_grad():
        exact = copy.deepcopy(module).double()(image.double())
        return off(module(image).double(), exact)
