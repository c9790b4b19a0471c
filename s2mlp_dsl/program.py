"""One model of a spec, elaborated, and what can be made of it."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from s2mlp_dsl.analysis.analyze import Analysis, analyze_model, figures, with_claims
from s2mlp_dsl.elaborate.spec import Spec
from s2mlp_dsl.ir.print import print_model
from s2mlp_dsl.ir.program import Model, Shift
from s2mlp_dsl.ir.walk import ops_in
from s2mlp_dsl.operators import SIGNATURES

if TYPE_CHECKING:
    from torch import nn

    from s2mlp_dsl.lower.module_class import Head
    from s2mlp_dsl.lower.source import Source
    from s2mlp_dsl.pictures.picture import Picture
    from s2mlp_dsl.pictures.theme import ThemeName

VERSION = version("s2mlp-dsl")


@dataclass(frozen=True)
class Program:
    """One model of a spec, elaborated. Nothing that is made of it changes it."""

    spec: Spec
    model: Model
    settings: dict[str, str]
    version: ClassVar[str] = VERSION

    @cached_property
    def analysis(self) -> Analysis:
        """The figures, without claims."""
        return analyze_model(self.model)

    @cached_property
    def checked(self) -> Analysis:
        """The figures, with a verdict on everything that the spec claims."""
        return with_claims(self.spec, self.analysis, self.model)

    @cached_property
    def figures(self) -> Analysis:
        """The figures without the receptive field: what lowering needs."""
        return figures(self.model)

    @property
    def function_hash(self) -> str:
        """What the model computes, as a hash: see `ir/hash.py`."""
        assert self.figures.function_hash is not None
        return self.figures.function_hash

    @property
    def weight_hash(self) -> str:
        """Which weights it takes, as a hash: see `ir/hash.py`."""
        assert self.figures.weight_hash is not None
        return self.figures.weight_hash

    @property
    def spec_name(self) -> str:
        """The spec's name as artifacts give it, the same on every system."""
        return Path(self.spec.source.name).as_posix()

    @property
    def metadata(self) -> dict[str, str]:
        """What artifacts say about themselves, flat."""
        return {
            "s2mlp_dsl.version": VERSION,
            "s2mlp_dsl.spec": self.spec_name,
            "s2mlp_dsl.model": self.model.name,
            "s2mlp_dsl.function_hash": self.function_hash,
            "s2mlp_dsl.weight_hash": self.weight_hash,
        }

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
        lowering: str | None = None,
        device: str = "cpu",
        dropout: bool = False,
        rows: bool = True,
        head: "Head | None" = None,
    ) -> "Source":
        """The program as PyTorch source, with stochastic depth or dropout for training.

        `lowering` forces a shift implementation; else it is chosen for the device, and
        so is the layout of maps, unless `rows` are ruled out. With a `head`, `forward`
        is in two parts (`module_class.py`). Raises `CannotLower` if the implementation
        cannot compute one of the shifts.
        """
        from s2mlp_dsl.lower.module_class import DROP_PATH, DROPOUT
        from s2mlp_dsl.lower.rows import uses_rows
        from s2mlp_dsl.lower.shift_implementations import check_lowering, default_for
        from s2mlp_dsl.lower.source import Provenance, torch_source

        words = ["--emit", "torch", "-o", f"{self.model.name}.py"]
        if lowering:
            check_lowering(self.model, lowering)
            words = ["--lowering", lowering, *words]
        elif device not in ("cpu", "meta"):
            words = ["--device", device, *words]
        command = self._compile_command(words) if self.spec.source.path else None
        return torch_source(
            self.model,
            self.figures,
            Provenance(self.spec_name, VERSION, command),
            lowering or default_for(device),
            (DROPOUT,) * dropout + (DROP_PATH,) * drop_path,
            rows=rows and lowering is None and uses_rows(device),
            head=head,
        )

    def _compile_command(self, words: list[str]) -> str:
        """The command that compiles this program with these options."""
        command = ["s2mlp-dsl", "compile", self.spec_name]
        if list(self.spec.models) != [self.model.name]:
            command += ["--model", self.model.name]
        for key, value in self.settings.items():
            command += ["--set", f"{key}={value}"]
        return shlex.join([*command, *words])

    def build(
        self,
        drop_path: bool = False,
        lowering: str | None = None,
        device: str = "cpu",
        initialized: bool = True,
        dropout: bool = False,
        rows: bool = True,
        head: "Head | None" = None,
    ) -> "nn.Module":
        """The program as a module on the CPU, for a device. As `source` otherwise.

        Without `initialized` its weights are undefined until some are loaded; for the
        device `meta` it has shapes and stores no weights.
        """
        from s2mlp_dsl.lower.build import build

        source = self.source(drop_path, lowering, device, dropout, rows, head)
        return build(
            source, self.model.name, initialized=initialized, meta=device == "meta"
        )

    def backbone(
        self, names: Sequence[str], device: str = "cpu", lowering: str | None = None
    ) -> "nn.Module":
        """The program returning the results of named statements (`NoFeature`)."""
        from s2mlp_dsl.lower.backbone import with_features

        # Without rows: any of the maps may be asked for.
        net = self.build(lowering=lowering, device=device, rows=False)
        return with_features(self.model, net, names)

    def emit(
        self,
        target: str,
        module: "nn.Module | None" = None,
        lowering: str | None = None,
        device: str = "cpu",
    ) -> bytes:
        """The program as a file of one of the targets (`s2mlp_dsl/targets`).

        Binary targets contain the weights of `module`, built like this program, else
        initial ones as after `torch.manual_seed`. Text is UTF-8 and the same bytes
        every time. Raises `KeyError` for an unknown target, and `CannotLower`.
        """
        from s2mlp_dsl.targets import TARGETS, Request

        chosen = TARGETS[target]

        def build() -> "nn.Module":
            built = self.build(
                lowering=lowering or chosen.shifts,
                device=device,
                initialized=module is None,
                rows=False,
            )
            if module is not None:
                built.load_state_dict(module.state_dict())
            return built

        return chosen().emit(Request(self, lowering, device, build))

    def diagram(
        self,
        view: str = "model",
        theme: "ThemeName" = "light",
        block: str | None = None,
        **options: str | None,
    ) -> "Picture":
        """A view of the program; docs/diagrams.md lists them. Only `graph` needs torch.

        `block` and `options` are options of the view. Raises `CannotDraw`.
        """
        from s2mlp_dsl.pictures.views import draw

        return draw(self, view, theme, {"block": block, **options})

    def __repr__(self) -> str:
        return f"Program({self.model.name!r}, of {self.spec.source.name!r})"

    def _repr_svg_(self) -> str:
        """What a notebook shows."""
        return self.diagram()._repr_svg_()
