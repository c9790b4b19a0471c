"""What was checked, with what, and what came of it."""

import math
from typing import Any

from s2mlp_dsl.ir.node import Node, Record


class Failure(Node):
    """One thing that is not as the IR says, and the statement it belongs to.

    `code` is that of the diagnostic where a target cannot say the model.
    """

    statement: str
    message: str
    code: str | None = None

    @property
    def file(self) -> str | None:
        """The file where the statement is written: the spec, or one it imports."""
        return self.span.source.name if self.span else None

    @property
    def line(self) -> int | None:
        """Its line in that file."""
        return self.span.line if self.span else None


class Check(Record):
    """One kind of proof. `cases` counts what was compared; it may be nothing.

    `worst` is the largest relative error met, for checks that measure one, `at`
    the statement it belongs to, and `tolerance` what it may be. `omitted` says why
    a check was not done: nothing is proved then, and nothing failed.
    """

    name: str
    what: str
    cases: int
    worst: float | None = None
    at: str | None = None
    tolerance: float | None = None
    omitted: str | None = None
    failures: tuple[Failure, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.failures


class Certificate(Record):
    """The result of `verify`: one record that can be kept beside the artifact.

    `source_hash` is the SHA-256 of the emitted text that was built and checked.
    """

    spec: str
    model: str
    function_hash: str
    weight_hash: str
    source_hash: str
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
                **check.model_dump(exclude={"failures"}),
                # JSON has no number for a result that is none.
                "worst": check.worst if _is_finite(check.worst) else None,
                "passed": check.passed,
                "failures": [
                    {
                        "statement": one.statement,
                        "file": one.file,
                        "line": one.line,
                        "message": one.message,
                        "code": one.code,
                    }
                    for one in check.failures
                ],
            }
            for check in self.checks
        ]
        return data


def _is_finite(number: float | None) -> bool:
    return number is not None and math.isfinite(number)
