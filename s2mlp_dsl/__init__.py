"""s2mlp-dsl: a language and compiler for vision MLPs of the spatial-shift family.

import s2mlp_dsl as s2

figures = s2.analyze("specs/s2mlp_deep.arch")       # no torch imported
net = s2.compile("specs/s2mlp_deep.arch", classes=10)  # a torch.nn.Module
"""

import importlib
from typing import Any

# Public name to the module that holds it, imported when it is first asked for:
# the command line starts with none of them.
_PUBLIC = {
    "Analysis": "s2mlp_dsl.analysis.analyze",
    "ChoiceError": "s2mlp_dsl.elaborate.spec",
    "Diagnostic": "s2mlp_dsl.diagnostics",
    "Program": "s2mlp_dsl.api",
    "Spec": "s2mlp_dsl.elaborate.spec",
    "SpecError": "s2mlp_dsl.diagnostics",
    "analyze": "s2mlp_dsl.api",
    "compile": "s2mlp_dsl.api",
    "elaborate": "s2mlp_dsl.api",
    "load": "s2mlp_dsl.elaborate.spec",
    "verify": "s2mlp_dsl.api",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return __all__
