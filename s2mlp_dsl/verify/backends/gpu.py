"""The module that is built for GPUs."""

from contextlib import AbstractContextManager

import torch
from torch import nn

from s2mlp_dsl.program import Program
from s2mlp_dsl.verify.backends import Backend


class Gpu(Backend):
    """`gather` and rows, which run without a GPU as well."""

    api = 1
    doc = (
        "the module built for a GPU (`gather`, rows), on a GPU if there is one, "
        "else on the CPU; also on an image one patch higher"
    )
    any_size = True

    def __init__(self, name: str) -> None:
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.label = f"{name} lowering (run on {self.device})"

    def build(self, program: Program) -> nn.Module:
        return program.build(device="cuda")

    def settings(self) -> AbstractContextManager[None]:
        """Convolutions use TF32 by default, which keeps ten bits."""
        return torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
