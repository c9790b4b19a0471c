"""The `torch.export` program in PyTorch's core operators."""

from torch import nn
from torch.export import ExportedProgram

from s2mlp_dsl.lower.export import decomposed
from s2mlp_dsl.verify.backends.export import Export


class Decomposed(Export):
    """What compilers that start from `torch.export` get."""

    doc = "the `torch.export` program in core operators"

    def module(self, exported: ExportedProgram) -> nn.Module:
        return decomposed(exported).module()
