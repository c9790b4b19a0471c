"""Source to module: the emitted text is what runs."""

import copyreg
import hashlib
import linecache
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from s2mlp_dsl.lower.source import Source
from s2mlp_dsl.lower.source_check import check_source


def build(
    source: Source, name: str, *, initialized: bool = True, meta: bool = False
) -> nn.Module:
    """Execute a source and construct its model.

    The text is registered with `linecache`, so tracebacks, debuggers and
    `inspect.getsource` show it. Weights are initialized on the CPU, so that a seed
    gives the same ones for every device. Without `initialized`, random weights are left
    as the memory was, for a module that is about to load all of them. With `meta`, the
    module is on that device and stores none.
    """
    model_class = getattr(_module(source.text, name), source.model_class)
    mode = nullcontext() if initialized else _SkipInitialization()
    with mode, torch.device("meta" if meta else "cpu"):
        model = model_class()
    assert isinstance(model, nn.Module)
    return model


# The functions of `nn.init` arrive here themselves, others as methods of a tensor.
_RANDOM = (
    *(nn.init.uniform_, nn.init.normal_, nn.init.kaiming_uniform_),
    *(Tensor.uniform_, Tensor.normal_),
)


class _SkipInitialization(TorchFunctionMode):
    """Leaves out random initialization. Constants are still set."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func in _RANDOM:
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))


def _module(text: str, name: str) -> ModuleType:
    """The Python module of a text, the same one for the same text.

    Its name contains a hash of the text, so that two versions of a model coexist, each
    with its own source.
    """
    full_name = f"{name}_{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    filename = f"<s2mlp-dsl {full_name}>"
    module = ModuleType(f"s2mlp_dsl.compiled.{full_name}")
    known = sys.modules.get(module.__name__)
    if known is not None:
        return known
    check_source(text)
    module.__file__ = filename
    # There is no function for a text without a file; doctest writes here as well.
    lines = text.splitlines(keepends=True)
    linecache.cache[filename] = (len(text), None, lines, filename)
    exec(compile(text, filename, "exec"), module.__dict__)
    for found in vars(module).values():
        if isinstance(found, type) and found.__module__ == module.__name__:
            copyreg.pickle(found, partial(_reduced, text, name))
    # Another thread may have been faster: its classes are then everybody's.
    return sys.modules.setdefault(module.__name__, module)


def _reduced(text: str, name: str, module: nn.Module) -> tuple[Any, ...]:
    """How a module is pickled: with its source, which another process has not run."""
    state = module.__reduce_ex__(2)[2]
    return _unpickled, (text, name, type(module).__qualname__), state


def _unpickled(text: str, name: str, class_name: str) -> Any:
    model_class = getattr(_module(text, name), class_name)
    return model_class.__new__(model_class)
