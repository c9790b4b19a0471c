"""PyTorch source."""

from s2mlp_dsl.targets import Request, Target


class Torch(Target):
    """The text that `compile` and `train` run themselves."""

    api = 1
    suffix = ".py"
    doc = "one readable Python file that needs only PyTorch"

    def emit(self, request: Request) -> bytes:
        source = request.program.source(
            lowering=request.lowering, device=request.device
        )
        return source.text.encode()
