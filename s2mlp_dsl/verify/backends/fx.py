"""The torch.fx graph."""

from torch import nn

from s2mlp_dsl.lower.trace import trace
from s2mlp_dsl.program import Program
from s2mlp_dsl.verify.backends import Backend


class Fx(Backend):
    """The graph that `--emit fx` prints."""

    api = 1
    doc = "its torch.fx graph"
    any_size = True

    def load(self, program: Program, net: nn.Module) -> nn.Module:
        return trace(net, program.model)
