"""The torch.fx graph as Python code."""

from s2mlp_dsl.targets import Request, Target


class Fx(Target):
    """Every call and every iteration is opened.

    `forward(self, x)` runs on the module that `--emit torch` writes, or on any with the
    same names.
    """

    api = 1
    suffix = ".py"
    doc = "the torch.fx graph as Python code, one line per statement"

    def emit(self, request: Request) -> bytes:
        from s2mlp_dsl.lower.trace import trace

        program = request.program
        code = trace(request.build(), program.model).graph.python_code("self")
        lines = [line.rstrip() for line in code.src.splitlines() if line.strip()]
        return "\n".join(
            [
                f'"""{program.model.name} as a torch.fx graph, one line per statement.',
                "",
                f"Made by s2mlp-dsl {program.version}. "
                "`self` is a module with the names of\n`--emit torch`.",
                "",
                f"function {program.function_hash}",
                f"weights  {program.weight_hash}",
                '"""',
                *("", "", *lines, ""),
            ]
        ).encode()
