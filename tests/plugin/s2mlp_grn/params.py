"""params: the statements with the most parameters."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from graphviz import Digraph

from s2mlp_dsl.pictures.picture import Picture
from s2mlp_dsl.pictures.theme import Theme
from s2mlp_dsl.pictures.views import View

if TYPE_CHECKING:
    from s2mlp_dsl.program import Program


class Params(View):
    api = 1
    doc = "a node per statement with parameters"
    options: ClassVar[Mapping[str, str]] = {"least": "Fewest parameters to show."}

    def draw(self, program: "Program", theme: Theme, **options: str) -> Picture:
        graph = Digraph(graph_attr={"bgcolor": theme.paper})
        for row in program.analysis.rows:
            if row.total_params >= int(options.get("least", "1")):
                graph.node(row.path, f"{row.path}: {row.total_params:,}")
        return Picture(graph, "params", "The parameters of each statement.")
