"""ONNX."""

from s2mlp_dsl.bounds import FLOAT_BYTES
from s2mlp_dsl.targets import Request, Target


class Onnx(Target):
    """Refuses models whose weights exceed one file, before they are built."""

    api = 1
    suffix = ".onnx"
    doc = "ONNX, checked and run in ONNX Runtime (`pip install 's2mlp-dsl[onnx]'`)"
    binary = True
    shifts = "select"

    def emit(self, request: Request) -> bytes:
        from s2mlp_dsl.lower.onnx import check_size, onnx_bytes

        program = request.program
        check_size(program.model, FLOAT_BYTES * (program.figures.params or 0))
        return onnx_bytes(program.model, request.build(), program.metadata)
