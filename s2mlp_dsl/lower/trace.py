"""A built module as a torch.fx graph with one node per statement."""

from torch import fx, nn

from s2mlp_dsl.analysis.dataflow import dataflow
from s2mlp_dsl.ir.program import Model

# Names that the code of a graph uses itself, besides keywords and builtins.
_TAKEN = {"self", "torch", "device", "fx_pytree", "pytree", "inf", "nan", "NoneType"}


class StatementTracer(fx.Tracer):
    """Opens the modules that contain statements; all others are leaves."""

    def __init__(self, statements: set[str]) -> None:
        super().__init__()
        self.opened = {
            path[:at]
            for path in statements
            for at, character in enumerate(path)
            if character == "."
        }

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return module_qualified_name not in self.opened


def trace(module: nn.Module, model: Model) -> fx.GraphModule:
    """The module as a graph with one node per statement."""
    traced = StatementTracer(set(dataflow(model))).trace(module)
    for node in traced.nodes:
        if node.name in _TAKEN:  # a statement may have such a label
            node.name = f"{node.name}_"
    return fx.GraphModule(module, traced)
