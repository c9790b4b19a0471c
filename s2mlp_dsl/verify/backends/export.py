"""The `torch.export` program."""

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from s2mlp_dsl.lower.export import export_program, quiet
from s2mlp_dsl.program import Program
from s2mlp_dsl.verify.backends import Backend


class Export(Backend):
    """The program that `--emit export` writes."""

    api = 1
    doc = "the `torch.export` program"
    lowering = "select"
    trains = False

    def load(self, program: Program, net: nn.Module) -> nn.Module:
        return self.module(export_program(program.model, net))

    def load_part(self, part: nn.Module, x: Tensor) -> nn.Module:
        with quiet():
            return self.module(torch.export.export(part, (x,), strict=False))

    def module(self, exported: ExportedProgram) -> nn.Module:
        return exported.module()
