"""Source to module: the emitted text is what runs."""

import hashlib
import linecache
import sys
from types import ModuleType

from torch import nn

from s2mlp_dsl.lower.allowed import check_source
from s2mlp_dsl.lower.source import Source


def build(source: Source, name: str) -> nn.Module:
    """Execute a source and construct its model.

    The text is registered with `linecache`, so tracebacks, debuggers and
    `inspect.getsource` show it.
    """
    model = getattr(_module(source.text, name), source.model_class)()
    assert isinstance(model, nn.Module)
    return model


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
