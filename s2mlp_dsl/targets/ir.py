"""The IR as a spec."""

from s2mlp_dsl.targets import Request, Target


class Ir(Target):
    """A `.arch` file without parameters; it elaborates to an equal IR."""

    api = 1
    suffix = ".arch"
    doc = "the model without parameters, as a spec"

    def emit(self, request: Request) -> bytes:
        return request.program.text.encode()
