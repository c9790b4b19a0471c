"""A `torch.export` program."""

import json

from s2mlp_dsl.targets import Request, Target


class Export(Target):
    """Loaded with `torch.export.load`; needs none of this package.

    What the model is stands in the extra file `s2mlp_dsl.json`.
    """

    api = 1
    suffix = ".pt2"
    doc = "a `torch.export` program: load it with `torch.export.load`"
    binary = True
    reproducible = False
    shifts = "select"

    def emit(self, request: Request) -> bytes:
        from s2mlp_dsl.lower.export import export_bytes, export_program

        program = request.program
        exported = export_program(program.model, request.build())
        return export_bytes(exported, "s2mlp_dsl.json", json.dumps(program.metadata))
