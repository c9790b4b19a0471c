"""A target that cannot be made of a model, as a diagnostic."""

from s2mlp_dsl.analysis.dataflow import dataflow
from s2mlp_dsl.diagnostics import Code, Diagnostic, Label, SpecError
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.source import Source, Span
from s2mlp_dsl.targets.codes import NOT_SAID

LARGEST_ONNX = 2**31 - 1  # bytes of a protobuf message
ELSEWHERE = "`--emit export` or `--emit safetensors` have no such bound"


class TargetFailed(SpecError):
    """A target cannot say a model, or computes something else.

    `statement` is the path of the one that is refused, None where it is the model.
    """

    def __init__(
        self,
        code: Code,
        model: Model,
        label: str,
        *,
        statement: str | None = None,
        help: str | None = None,
    ) -> None:
        self.statement = statement
        span = model.span
        if statement is not None:
            span = dataflow(model).nodes[statement]["span"] or span
        # A model that comes from no text is only named.
        primary = Label(span or Span(Source(model.name, ""), 0, 0), label)
        super().__init__([Diagnostic(code, primary, help=help)])


def reason_of(error: Exception) -> str:
    """The first line of what an exporter raised, or of what caused that."""
    while isinstance(error.__cause__, Exception):
        error = error.__cause__
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return line.partition(" For more information")[0]


def hold_size(model: Model, count: int) -> None:
    """Raise `TargetFailed` for more bytes of weights than one ONNX file may have."""
    if count > LARGEST_ONNX:
        said = f"{count:,} bytes of weights, and one ONNX file holds {LARGEST_ONNX:,}"
        raise TargetFailed(NOT_SAID, model, said, help=ELSEWHERE)
