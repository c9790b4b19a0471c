"""Source to module: the emitted text is what runs."""

import hashlib
import linecache
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from s2mlp_dsl.lower.allowed import check_source
from s2mlp_dsl.lower.source import Source


def build(
    source: Source, name: str, drawn: bool = True, stored: bool = True
) -> nn.Module:
    """Execute a source and construct its model.

    The text is registered with `linecache`, so tracebacks, debuggers and
    `inspect.getsource` show it. Weights are drawn on the CPU, so that a seed means
    the same ones for every device. Without `drawn` they are whatever the memory
    held, for a module that is given all of its weights next; without `stored` the
    module is on `meta` and has none.
    """
    model_class = getattr(_module(source.text, name), source.model_class)
    home = torch.device("cpu" if stored else "meta")
    with nullcontext() if drawn else _Undrawn(), home:
        model = model_class()
    assert isinstance(model, nn.Module)
    return model


# The functions of `nn.init` come here whole, others as methods of a tensor.
_DRAWS = (
    *(nn.init.uniform_, nn.init.normal_, nn.init.kaiming_uniform_),
    *(Tensor.uniform_, Tensor.normal_),
)


class _Undrawn(TorchFunctionMode):
    """Random initialisation leaves tensors as they are. Constants are still set."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func in _DRAWS:
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))


def _module(text: str, name: str) -> ModuleType:
    """The Python module of a text. The same text is executed once.

    Its name carries a hash of the text: two versions of a model live side by
    side, each with its own source.
    """
    name = f"{name}_{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    filename = f"<s2mlp-dsl {name}>"
    module = ModuleType(f"s2mlp_dsl.compiled.{name}")
    known = sys.modules.get(module.__name__)
    if known is not None:
        return known
    check_source(text)
    module.__file__ = filename
    linecache.cache[filename] = (
        len(text),
        None,
        text.splitlines(keepends=True),
        filename,
    )
    exec(compile(text, filename, "exec"), module.__dict__)
    sys.modules[module.__name__] = module
    return module
