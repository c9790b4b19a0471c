"""s2mlp-dsl: a language and compiler for vision MLPs of the spatial-shift family.

import s2mlp_dsl as s2

figures = s2.analyze("specs/s2mlp_deep.arch")       # no torch imported
net = s2.compile("specs/s2mlp_deep.arch", classes=10)  # a torch.nn.Module
"""

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from s2mlp_dsl.api import Program
    from s2mlp_dsl.elaborate.spec import Spec
    from s2mlp_dsl.verify.certificate import Certificate

# Public name to the module that holds it, imported when it is first asked for:
# the command line starts with none of them.
_PUBLIC = {
    "Analysis": "s2mlp_dsl.analysis.analyze",
    "ChoiceError": "s2mlp_dsl.elaborate.spec",
    "Diagnostic": "s2mlp_dsl.diagnostics",
    "Program": "s2mlp_dsl.program",
    "Spec": "s2mlp_dsl.elaborate.spec",
    "SpecError": "s2mlp_dsl.diagnostics",
    "analyze": "s2mlp_dsl.api",
    "compile": "s2mlp_dsl.api",
    "diagram": "s2mlp_dsl.api",
    "load": "s2mlp_dsl.api",
    "register_timm": "s2mlp_dsl.api",
}

__all__ = [*_PUBLIC, "elaborate", "verify"]

# Two functions share their names with folders of ours. Python puts a folder into
# this namespace when it is first imported, so that happens before they are defined.
importlib.import_module("s2mlp_dsl.elaborate")
importlib.import_module("s2mlp_dsl.verify")


def elaborate(
    spec: "str | Path | Spec",
    model: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> "Program":
    """One model of a spec with its parameters bound; see `s2mlp_dsl.api`."""
    from s2mlp_dsl import api

    return api.elaborate(spec, model, settings)


def verify(
    spec: "str | Path | Spec", model: str | None = None, **settings: Any
) -> "Certificate":
    """Compare the compiled model with its IR; see `s2mlp_dsl.api`."""
    from s2mlp_dsl import api

    return api.verify(spec, model, **settings)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return __all__
