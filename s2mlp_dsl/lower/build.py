"""Source to module: the emitted text is what runs."""

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
    check_source(source.text)
    filename = f"<s2mlp-dsl {name}>"
    module = ModuleType(f"s2mlp_dsl.compiled.{name}")
    module.__file__ = filename
    linecache.cache[filename] = (
        len(source.text),
        None,
        source.text.splitlines(keepends=True),
        filename,
    )
    sys.modules[module.__name__] = module
    exec(compile(source.text, filename, "exec"), module.__dict__)
    model = getattr(module, source.model_class)()
    assert isinstance(model, nn.Module)
    return model
