"""One model of a spec, elaborated, and what can be made of it."""

import shlex
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from s2mlp_dsl.analysis.analyze import Analysis, analyze_model, figures
from s2mlp_dsl.elaborate.spec import Spec
from s2mlp_dsl.ir.print import print_model
from s2mlp_dsl.ir.program import Model, Shift
from s2mlp_dsl.ir.walk import ops_in
from s2mlp_dsl.operators import SIGNATURES

if TYPE_CHECKING:
    from torch import nn

    from s2mlp_dsl.lower.lowering import Lowering
    from s2mlp_dsl.lower.source import Source
    from s2mlp_dsl.pictures.theme import ThemeName
    from s2mlp_dsl.pictures.views import Picture, View
    from s2mlp_dsl.targets.identity import Identity
    from s2mlp_dsl.targets.targets import TargetName

VERSION = version("s2mlp-dsl")


@dataclass(frozen=True)
class Program:
    """One model of a spec, elaborated."""

    spec: Spec
    model: Model
    settings: dict[str, str]

    @cached_property
    def analysis(self) -> Analysis:
        """The figures, without claims."""
        return analyze_model(self.model)

    @cached_property
    def figures(self) -> Analysis:
        """The figures without the receptive field: what lowering needs."""
        return figures(self.model)

    @property
    def text(self) -> str:
        """The program as a parameterless `.arch` file."""
        return print_model(self.model, SIGNATURES)

    @property
    def shifts(self) -> dict[str, Shift]:
        """The shifts of the program by name; a notebook draws each."""
        values = (value for op in ops_in(self.model) for _, value in op.args)
        return {one.name: one for one in values if isinstance(one, Shift)}

    def source(
        self,
        drop_path: bool = False,
        lowering: "Lowering | None" = None,
        device: str = "cpu",
        dropout: bool = False,
    ) -> "Source":
        """The program as PyTorch source, with stochastic depth or dropout for training.

        How shifts are computed is chosen for the device unless a lowering is
        asked for, and so is the form of maps. Raises `CannotLower` if a lowering
        cannot compute one of them.
        """
        from s2mlp_dsl.lower.lowering import choose, hold_lowering, takes_rows
        from s2mlp_dsl.lower.scope import DROP_PATH, DROPOUT
        from s2mlp_dsl.lower.source import Origin, torch_source

        words = ["--emit", "torch", "-o", f"{self.model.name}.py"]
        if lowering:
            hold_lowering(self.model, lowering)
            words = ["--lowering", lowering, *words]
        elif device not in ("cpu", "meta"):
            words = ["--device", device, *words]
        command = shlex.join([*self._compile, *words])
        path = self.spec.source.path
        origin = Origin(self.spec_name, VERSION, command if path else None)
        form = lowering or choose("torch", device)
        wanted = ((DROPOUT, dropout), (DROP_PATH, drop_path))
        drops = tuple(drop for drop, there in wanted if there)
        rows = lowering is None and takes_rows(device)
        return torch_source(self.model, self.figures, origin, form, drops, rows)

    @property
    def spec_name(self) -> str:
        """The spec's name as artifacts give it, the same on every system."""
        return Path(self.spec.source.name).as_posix()

    @property
    def _compile(self) -> list[str]:
        """The words of a command that compiles this program."""
        words = ["s2mlp-dsl", "compile", self.spec_name]
        if list(self.spec.models) != [self.model.name]:
            words += ["--model", self.model.name]
        for key, value in self.settings.items():
            words += ["--set", f"{key}={value}"]
        return words

    def build(
        self,
        drop_path: bool = False,
        lowering: "Lowering | None" = None,
        device: str = "cpu",
        drawn: bool = True,
        dropout: bool = False,
    ) -> "nn.Module":
        """The program as a module on the CPU, for a device. As `source` otherwise.

        Without `drawn` it waits for weights, and has none that mean anything; for
        the device `meta` it is there and stores none.
        """
        from s2mlp_dsl.lower.build import build

        source = self.source(drop_path, lowering, device, dropout)
        return build(source, self.model.name, drawn, stored=device != "meta")

    def backbone(self, labels: list[str], device: str = "cpu") -> "nn.Module":
        """The program returning what leaves labelled statements (`NoFeature`)."""
        from s2mlp_dsl.lower.features import with_features
        from s2mlp_dsl.lower.lowering import choose

        # Maps everywhere, no rows: any of them may be asked for.
        net = self.build(lowering=choose("torch", device))
        return with_features(self.model, net, labels)

    def emit(
        self,
        target: "TargetName",
        module: "nn.Module | None" = None,
        lowering: "Lowering | None" = None,
        device: str = "cpu",
    ) -> bytes:
        """The program as a file of one of the targets.

        Binary targets take the weights of `module`, built like this program,
        else initial ones as `torch.manual_seed` leaves them. Text is UTF-8 and
        the same bytes every time. Raises `TargetFailed` where the target cannot
        say the model, and `CannotLower`.
        """
        match target:
            case "torch":
                return self.source(lowering=lowering, device=device).text.encode()
            case "ir":
                return self.text.encode()
            case "ir-json":
                from s2mlp_dsl.targets.ir_json import ir_json_text

                return ir_json_text(self.model, self.identity).encode()
        if target == "onnx":
            from s2mlp_dsl.bounds import FLOAT_BYTES
            from s2mlp_dsl.targets.failed import hold_size

            # Known before anything of that size is built.
            assert self.figures.params is not None
            hold_size(self.model, FLOAT_BYTES * self.figures.params)
        from s2mlp_dsl.lower.lowering import choose

        form = lowering or choose(target, device)
        built = self.build(lowering=form, drawn=module is None)
        if module is not None:
            built.load_state_dict(module.state_dict())
        match target:
            case "fx":
                from s2mlp_dsl.targets.fx import fx_text

                return fx_text(self.model, built, self.identity).encode()
            case "safetensors":
                from s2mlp_dsl.targets.safetensors import weights_bytes

                return weights_bytes(built, self.identity)
            case "export":
                from s2mlp_dsl.targets.export import export_bytes

                return export_bytes(self.model, built, self.identity)
            case "onnx":
                from s2mlp_dsl.targets.onnx import onnx_bytes

                return onnx_bytes(self.model, built, self.identity)

    @property
    def identity(self) -> "Identity":
        """What artifacts say about themselves."""
        from s2mlp_dsl.targets.identity import Identity

        function, weights = self.figures.function_hash, self.figures.weight_hash
        assert function is not None and weights is not None
        name, version = self.model.name, VERSION
        return Identity(self.spec_name, name, version, function, weights)

    def diagram(
        self,
        view: "View | Literal['graph']" = "model",
        theme: "ThemeName" = "light",
        block: str | None = None,
    ) -> "Picture":
        """A view of the program. Only `graph` imports torch."""
        from s2mlp_dsl.pictures import views

        if view != "graph":
            return views.draw(self.model, self.analysis, view, theme, block)
        from s2mlp_dsl.pictures.graph_trace import trace

        module = self.build(lowering="select")  # every step of it can be traced
        return views.traced(self.model.name, trace(self.model, module), theme)

    def __repr__(self) -> str:
        return f"Program({self.model.name!r}, of {self.spec.source.name!r})"

    def _repr_svg_(self) -> str:
        """What a notebook shows."""
        return self.diagram()._repr_svg_()
