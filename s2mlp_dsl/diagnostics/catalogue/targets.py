"""Targets and shift implementations."""

from s2mlp_dsl.diagnostics.record import Code, Message

NOT_EXPRESSED = Code("A0901", "target cannot express the model")
EXPORT_FAILED = NOT_EXPRESSED.says("torch.export: {reason}")
ONNX_FAILED = NOT_EXPRESSED.says("ONNX: {reason}")
ONNX_TOO_LARGE = NOT_EXPRESSED.says(
    "{size:,} bytes of weights, and one ONNX file holds {limit:,}",
    help="`--emit export` and `--emit safetensors` have no such limit",
)

DIFFERENT = Code("A0902", "target computes a different result")
RESULT_NOT_FINITE = DIFFERENT.says(
    "in float32 the model's own results are not finite, so nothing can be compared"
)
ONNX_DIFFERS = DIFFERENT.says(
    "the error of ONNX Runtime is {error:.2g} of the largest value"
)

SHIFT_REFUSED = Code("A0903", "shift cannot be computed this way", exit_code=2)


def _shift_refused(reason: str) -> Message:
    return SHIFT_REFUSED.says(
        f"`{{implementation}}` cannot compute `{{shift}}`: {reason}",
        help="omit --lowering",
    )


SHIFT_ON_CLIP = _shift_refused("it shifts a clip")
SHIFT_INTERLEAVES = _shift_refused("its channels are interleaved")
SHIFT_REFLECTS = _shift_refused("its edge rule is `reflect`")
SHIFT_KEEPS = _shift_refused(
    "`keep` differs from `replicate` beyond one step along one axis"
)
SHIFT_TOO_FAR = _shift_refused("it moves by {steps} steps, more than {limit}")
