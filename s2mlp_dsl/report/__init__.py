"""A page that explains models: `page.py` lists its sections.

The page is one file and loads nothing. Text of a spec or a run is escaped or becomes
JSON, and the page's own policy forbids every script but page.js.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s2mlp_dsl.analysis.analyze import Analysis
from s2mlp_dsl.ir.program import Model

if TYPE_CHECKING:
    from s2mlp_dsl.program import Program


@dataclass(frozen=True)
class Subject:
    """A model that the page explains.

    `certificate` is what `verify --format json` prints, if the model was verified.
    """

    program: "Program"
    certificate: dict[str, Any] | None = None

    @property
    def model(self) -> Model:
        return self.program.model

    @property
    def analysis(self) -> Analysis:
        """The figures, with a verdict on each claim."""
        return self.program.checked
