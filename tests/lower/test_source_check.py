"""The second lock: text that does more than define modules does not run."""

import pytest

from s2mlp_dsl.lower.build import build
from s2mlp_dsl.lower.source import Source
from s2mlp_dsl.lower.source_check import ForbiddenSource, check_source

GOOD = '''"""A model."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Model(nn.Module):
    """Doubles."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(1):
            x = x + x
        return x


if __name__ == "__main__":
    model = Model().eval()
    with torch.no_grad():
        print(f"{tuple(model(torch.zeros(1)).shape)}")
'''

STATEMENTS = [
    "import os",
    "import torch.hub",
    "import torch as t",
    "from os import path",
    "from torch import hub",
    "from torch import nn as n",
    "from . import nn",
    "from builtins import print",
    "exec('1')",
    "eval('1')",
    "compile('1', '', 'exec')",
    "open('file', 'w')",
    "__import__('os')",
    "breakpoint()",
    "input()",
    "globals()",
    "getattr(torch, 'load')",
    "setattr(nn, 'Module', 1)",
    "vars(torch)",
    "x = exec",
    "[eval][0]('1')",
    "(exec if 1 else exec)('1')",
    "print(*map(exec, ['1']))",
    "().__class__.__bases__[0].__subclasses__()",
    "Model.forward.__globals__['x'] = 1",
    "print.__self__",
    "'{0.__class__}'.format(1)",
    "torch.load('file')",
    "torch.hub.load('a', 'b')",
    "torch.os.system('true')",
    "torch.ops.load_library('x')",
    "t = torch\nt.load('file')",
    "print(torch)",
    "nn.modules.module.torch.load('file')",
    "torch.zeros(1).numpy().tofile('file')",
    "torch.ones(1).storage()",
    "print = 1",
    "_hidden = 1",
    "def exec(x): return x",
    "class exec: pass",
    "def f(exec): return exec",
    "@print\nclass A(nn.Module): x = 1",
    "@eval\ndef f(x): return x",
    "class A(nn.Module, metaclass=print): x = 1",
    "class A(nn.Module):\n    def __reduce__(self): return 1",
    "class A(nn.Module):\n    def __getattr__(self, name): return 1",
    "f = lambda: 1",
    "del Model",
    "raise 1",
    "try:\n    x = 1\nexcept Exception:\n    x = 2",
    "while True:\n    x = 1",
    "(y := 1)",
    "async def f(): return 1",
    "def f():\n    yield 1",
    "def f():\n    global Model",
    "match 1:\n    case 1:\n        x = 1",
    "type X = int",
    "x = {'a': 1}",
    "x = {1}",
]


def test_good_text_passes() -> None:
    check_source(GOOD)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_planted(statement: str) -> None:
    with pytest.raises((ForbiddenSource, SyntaxError)) as refused:
        check_source(f"{GOOD}\n\n{statement}\n")
    if refused.type is ForbiddenSource:
        assert str(refused.value).startswith("line ")


@pytest.mark.parametrize("statement", STATEMENTS)
def test_planted_inside_a_method(statement: str) -> None:
    lines = "\n".join(f"        {line}" for line in statement.splitlines())
    with pytest.raises((ForbiddenSource, SyntaxError)):
        check_source(GOOD.replace("        return x\n", f"{lines}\n        return x\n"))


def test_refused_text_is_not_run(capsys: pytest.CaptureFixture[str]) -> None:
    text = f"print('here')\nimport os\n{GOOD}"
    with pytest.raises(ForbiddenSource):
        build(Source(text, "Model"), "planted")
    assert capsys.readouterr().out == ""
