"""counts: the parameters of a model, as CSV."""

from s2mlp_dsl.targets import Request, Target


class Counts(Target):
    api = 1
    suffix = ".csv"
    doc = "parameters of every statement, as CSV"

    def emit(self, request: Request) -> bytes:
        rows = request.program.analysis.rows
        return "".join(f"{row.path},{row.params}\n" for row in rows).encode()
