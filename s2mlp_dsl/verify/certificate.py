"""What was checked, with what, and what came of it."""

from typing import Any

from s2mlp_dsl.ir.node import Node, Record


class Failure(Node):
    """One thing that is not as the IR says, and the statement it belongs to."""

    statement: str
    message: str

    @property
    def line(self) -> int | None:
        """Line of the statement in the spec."""
        return self.span.line if self.span else None


class Check(Record):
    """One kind of proof. `cases` counts what was compared.

    `worst` is the largest relative error met, for checks that measure one, and
    `tolerance` what it may be.
    """

    name: str
    what: str
    cases: int
    worst: float | None = None
    tolerance: float | None = None
    failures: tuple[Failure, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.failures and self.cases > 0


class Certificate(Record):
    """The result of `verify`: one record that can be kept beside the artifact."""

    spec: str
    model: str
    function_hash: str
    weight_hash: str
    versions: dict[str, str]
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    def as_data(self) -> dict[str, Any]:
        """JSON-ready, with verdicts and lines spelled out."""
        data = self.model_dump(mode="json", exclude={"checks"})
        data["passed"] = self.passed
        data["checks"] = [
            {
                **check.model_dump(mode="json", exclude={"failures"}),
                "passed": check.passed,
                "failures": [
                    {"statement": f.statement, "line": f.line, "message": f.message}
                    for f in check.failures
                ],
            }
            for check in self.checks
        ]
        return data
