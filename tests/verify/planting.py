"""A small program, and faults planted into what it lowers to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

from torch import nn

from s2mlp_dsl.api import Program, elaborate
from s2mlp_dsl.lower import definitions
from s2mlp_dsl.verify.certificate import Check
from s2mlp_dsl.verify.verify import verify_module

SPEC = """edition 1

shift cross {
    edge keep
    1/4 right 2
    1/4 left 2
    1/4 down 2
    1/4 up 2
}

block mixer {
    residual {
        linear(dim)
        gelu
        shift(cross)
        linear(dim)
        norm(layer)
    }
}

model small {
    image(3, 12, 16)
    patch(2, 8)
    stack 3 {
        mixer
    }
    pool(mean)
    head: linear(5)
}
"""
PROGRAM = elaborate(SPEC)
LINES = {line.strip(): number for number, line in enumerate(SPEC.splitlines(), start=1)}


def checks(module: nn.Module, program: Program = PROGRAM) -> dict[str, Check]:
    return {check.name: check for check in verify_module(program, module)}


def failed(found: dict[str, Check]) -> set[str]:
    return {name for name, check in found.items() if not check.passed}


def edited(
    old: str, new: str, program: Program = PROGRAM, device: str = "cpu"
) -> nn.Module:
    """The module of the emitted text with one edit in it."""
    source = program.source(device=device)
    assert source.text.count(old) == 1, old
    namespace: dict[str, object] = {"__name__": "planted"}
    exec(source.text.replace(old, new), namespace)
    made = namespace[source.model_class]
    assert callable(made)
    module = made()
    assert isinstance(module, nn.Module)
    return module


def changed(change: Callable[[nn.Module], None]) -> nn.Module:
    """The right module, changed after it was built."""
    module = PROGRAM.build()
    change(module)
    return module


@contextmanager
def lowering_writes(name: str, old: str, new: str) -> Iterator[None]:
    """Every source that is emitted meanwhile has a fault in this definition."""
    known = definitions.nn_definitions()
    right = known[name]
    assert right.text.count(old) == 1, old
    wrong = known | {name: replace(right, text=right.text.replace(old, new))}
    with patch.object(definitions, "nn_definitions", lambda: wrong):
        yield
