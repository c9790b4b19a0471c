"""The whole model, as the paper's figure 1 draws it: from top to bottom."""

from typing import TYPE_CHECKING

from s2mlp_dsl.analysis.analyze import Analysis
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.pictures.figures import sample, totals
from s2mlp_dsl.pictures.picture import Picture
from s2mlp_dsl.pictures.statements import draw_statements
from s2mlp_dsl.pictures.theme import LIGHT, Theme
from s2mlp_dsl.pictures.views import View

if TYPE_CHECKING:
    from s2mlp_dsl.program import Program


class ModelView(View):
    api = 1
    doc = "the whole model from top to bottom, repeated blocks drawn once with their ×N"

    def draw(self, program: "Program", theme: Theme, **options: str) -> Picture:
        return draw_model(program.model, program.analysis, theme)


def draw_model(model: Model, analysis: Analysis, theme: Theme = LIGHT) -> Picture:
    """The picture of an expanded model, given its figures."""
    figures = totals(analysis)
    graph = draw_statements(model, analysis, theme, figures)
    doc = " ".join((model.doc or "").split())
    ends = f"{sample(analysis).capitalize()} {model.input.result} to {model.result}."
    words = " ".join([doc, ends, "; ".join(figures)]).strip()
    return Picture(graph, model.name, words)
