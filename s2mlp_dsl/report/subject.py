"""What a report is about."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s2mlp_dsl.analysis.analyze import Analysis, with_claims
from s2mlp_dsl.ir.program import Model

if TYPE_CHECKING:
    from s2mlp_dsl.program import Program


@dataclass(frozen=True)
class Subject:
    """A model of a spec with its figures and the verdicts on its claims.

    `certificate` is what `verify --format json` prints, if the model was verified.
    """

    program: "Program"
    analysis: Analysis
    certificate: dict[str, Any] | None = None

    @property
    def model(self) -> Model:
        return self.program.model


def subject_of(
    program: "Program", certificate: dict[str, Any] | None = None
) -> Subject:
    """The subject of a program, its claims checked."""
    analysis = with_claims(program.spec, program.analysis, program.model)
    return Subject(program, analysis, certificate)
