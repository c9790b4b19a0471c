"""ONNX Runtime."""

from collections.abc import Callable

from torch import Tensor, nn

from s2mlp_dsl.lower.onnx import missing, onnx_bytes, run_onnx
from s2mlp_dsl.program import Program
from s2mlp_dsl.verify.backends import Backend
from s2mlp_dsl.verify.backends.decomposed import Decomposed


class Onnx(Backend):
    """The file that `--emit onnx` writes."""

    api = 1
    doc = "ONNX Runtime (no gradients)"
    lowering = "select"
    trains = differentiable = False
    # A test tries the runtime, so that this stays true.
    no_bfloat16 = "ONNX Runtime has no MatMul, Add or Conv for it"

    @classmethod
    def is_available(cls) -> bool:
        return not missing()

    def load(self, program: Program, net: nn.Module) -> Callable[[Tensor], Tensor]:
        data = onnx_bytes(program.model, net)
        return lambda x: run_onnx(data, x.detach())

    def load_part(self, part: nn.Module, x: Tensor) -> nn.Module:
        return Decomposed(self.label).load_part(part, x)  # what ONNX is made from
