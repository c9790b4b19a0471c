"""`torch.compile`."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from s2mlp_dsl.program import Program
from s2mlp_dsl.verify.backends import Backend


class Compile(Backend):
    """Takes a C++ compiler and half a minute."""

    api = 1
    doc = "`torch.compile`; only with `--full` or `--backend compile`"
    slow = True

    def load(self, program: Program, net: nn.Module) -> Callable[[Tensor], Tensor]:
        return self.load_part(net, torch.empty(0))

    def load_part(self, part: nn.Module, x: Tensor) -> Callable[[Tensor], Tensor]:
        torch.compiler.reset()
        compiled: Callable[[Tensor], Tensor] = torch.compile(part, dynamic=False)
        return lambda x: compiled(x)  # gradients are those of `part`, by its names
