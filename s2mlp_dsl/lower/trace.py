"""A built module as a torch.fx graph with one node per statement."""

import operator
from collections.abc import Collection, Iterator

import torch
from torch import fx, nn

from s2mlp_dsl.analysis.dataflow import INPUT, dataflow
from s2mlp_dsl.ir.program import Model

# Names that the code of a graph uses itself, besides keywords and builtins.
_TAKEN = {"self", "torch", "device", "fx_pytree", "pytree", "inf", "nan", "NoneType"}


class StatementTracer(fx.Tracer):
    """Opens the modules that contain statements; all others are leaves.

    fx makes one without statements to unpickle a graph.
    """

    def __init__(self, statements: Collection[str] = ()) -> None:
        super().__init__()
        parts = [path.split(".") for path in statements]
        self.opened = {".".join(p[:n]) for p in parts for n in range(1, len(p))}

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return module_qualified_name not in self.opened


def trace(module: nn.Module, model: Model) -> fx.GraphModule:
    """The module as a graph with one node per statement."""
    traced = StatementTracer(set(dataflow(model))).trace(module)
    for node in traced.nodes:
        if node.name in _TAKEN:  # a statement may have such a label
            node.name = f"{node.name}_"
    return fx.GraphModule(module, traced)


def statement_nodes(graph: fx.Graph) -> Iterator[tuple[fx.Node, str, list[fx.Node]]]:
    """Traced nodes with their names in the dataflow graph, and their inputs.

    Nodes that only change the layout of a map are left out, and so is `torch.split`,
    whose parts read the map that is split. A node without a name there has that of its
    operation.
    """
    sums, splits = 0, dict[fx.Node, int]()
    for node in graph.nodes:
        if _is_split(node):
            splits[node] = len(splits) + 1
        if _is_split(node) or _is_size(node) or _changes_layout(node):
            continue
        name = f"{node.op} {getattr(node.target, '__name__', node.target)}"
        if node.op == "placeholder":
            name = INPUT
        elif node.op == "call_module":
            name = str(node.target)
        elif node.target is operator.getitem and node.args[0] in splits:
            name = f"|{splits[node.args[0]]}.{node.args[1]}"
        elif _is_sum(node):
            sums += 1
            name = f"+{sums}"
        yield node, name, _inputs(node)


def _is_sum(node: fx.Node) -> bool:
    """A plain sum only: no scale, no constant, not in place."""
    plain = len(node.all_input_nodes) == len(node.args) == 2 and not node.kwargs
    return node.op == "call_function" and node.target is operator.add and plain


def _is_split(node: fx.Node) -> bool:
    """`torch.split(x, channels, dim=-1)`, read by its parts only."""
    return (
        node.target is torch.split
        and len(node.args) == 2
        and node.kwargs == {"dim": -1}
        and all(user.target is operator.getitem for user in node.users)
    )


def _changes_layout(node: fx.Node) -> bool:
    """`x.flatten(0, -2)` and `torch.unflatten(x, 0, size)`: see `rows.py`."""
    if node.target == "flatten":
        return node.args[1:] == (0, -2) and not node.kwargs
    if node.target is torch.unflatten and not node.kwargs:
        axis, size = node.args[1:]
        return bool(axis == 0 and isinstance(size, fx.Node) and _is_size(size))
    return False


def _is_size(node: fx.Node) -> bool:
    """`x.shape[:-1]`, or the `x.shape` in it."""
    if node.op != "call_function":
        return False
    if node.target is operator.getitem and node.args[1] == slice(None, -1, None):
        return isinstance(node.args[0], fx.Node) and _is_size(node.args[0])
    return bool(node.target is getattr and node.args[1] == "shape")


def _inputs(node: fx.Node) -> list[fx.Node]:
    """The inputs of a node, in order, seen through splits and layouts."""
    given = [one for one in node.args if isinstance(one, fx.Node)]
    return [
        _inputs(one)[0] if _is_split(one) or _changes_layout(one) else one
        for one in given
    ]
