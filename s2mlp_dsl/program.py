"""One model of a spec, elaborated, and what can be made of it."""

import shlex
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from s2mlp_dsl.analysis.analyze import Analysis
from s2mlp_dsl.elaborate.spec import Spec
from s2mlp_dsl.ir.print import print_model
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.ops import SIGNATURES

if TYPE_CHECKING:
    from torch import nn

    from s2mlp_dsl.emit.theme import ThemeName
    from s2mlp_dsl.emit.views import Picture, View
    from s2mlp_dsl.lower.source import Source

VERSION = version("s2mlp-dsl")


@dataclass(frozen=True)
class Program:
    """One model of a spec, elaborated, with its figures."""

    spec: Spec
    model: Model
    analysis: Analysis
    settings: dict[str, str]

    @property
    def text(self) -> str:
        """The program as a parameterless `.arch` file."""
        return print_model(self.model, SIGNATURES)

    def source(self, drop_path: bool = False) -> "Source":
        """The program as PyTorch source, with stochastic depth for training."""
        from s2mlp_dsl.lower.source import Origin, torch_source

        path = self.spec.source.path
        spec = Path(self.spec.source.name).as_posix()
        words = ["s2mlp-dsl", "compile", spec]
        if list(self.spec.models) != [self.model.name]:
            words += ["--model", self.model.name]
        for key, value in self.settings.items():
            words += ["--set", f"{key}={value}"]
        words += ["--emit", "torch", "-o", f"{self.model.name}.py"]
        command = shlex.join(words) if path else None
        origin = Origin(spec, VERSION, command)
        return torch_source(self.model, self.analysis, origin, drop_path)

    def build(self, drop_path: bool = False) -> "nn.Module":
        """The program as a module, weights initialised."""
        from s2mlp_dsl.lower.build import build

        return build(self.source(drop_path), self.model.name)

    def diagram(
        self,
        view: "View | Literal['graph']" = "model",
        theme: "ThemeName" = "light",
        block: str | None = None,
    ) -> "Picture":
        """A view of the program. Only `graph` imports torch."""
        from s2mlp_dsl.emit import views

        if view != "graph":
            return views.draw(self.model, self.analysis, view, theme, block)
        from s2mlp_dsl.emit.graph_trace import trace

        return views.traced(self.model.name, trace(self.model, self.build()), theme)

    def __repr__(self) -> str:
        return f"Program({self.model.name!r}, of {self.spec.source.name!r})"

    def _repr_svg_(self) -> str:
        """What a notebook shows."""
        return self.diagram()._repr_svg_()
