"""A backbone: a built module that returns labelled maps instead of its result."""

from torch import fx, nn

from s2mlp_dsl.analysis.dataflow import dataflow
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.ir.shape import Map
from s2mlp_dsl.lower.trace import statement_nodes, trace


class NoFeature(Exception):
    """No statement has this label, or several have."""

    exit_code = 2


def with_features(model: Model, module: nn.Module, labels: list[str]) -> nn.Module:
    """A module that maps images to a list: the result of each labelled statement.

    Maps are [batch, channels, height, width], as detection and segmentation code takes
    them; `feature_info` has a row for each, as in timm. Statements after the last of
    them are removed with their weights; the others keep their names. Raises
    `NoFeature`.
    """
    known = dataflow(model).graph["labels"]
    for label in labels:
        if len(known.get(label, ())) != 1:
            unique = ", ".join(f"`{one}`" for one, at in known.items() if len(at) == 1)
            which = "several statements" if label in known else "no statement"
            raise NoFeature(
                f"{which} of {model.name} labelled `{label}`; choose from {unique}"
            )
    traced = trace(module, model)
    graph = traced.graph
    nodes = {name: node for node, name, _ in statement_nodes(graph)}
    (end,) = (node for node in graph.nodes if node.op == "output")
    found, info = [], []
    with graph.inserting_before(end):
        for label in labels:
            path, shape = known[label][0]
            node = nodes[path]
            reduction = None
            if isinstance(shape, Map):
                last = len(shape.grid) + 1
                node = graph.call_method("permute", (node, 0, last, *range(1, last)))
                reduction = model.input_size[-1] // shape.width
            found.append(node)
            info.append(
                {"module": label, "num_chs": shape.channels, "reduction": reduction}
            )
    end.args = (found,)
    graph.eliminate_dead_code()
    backbone = fx.GraphModule(traced, graph, f"{model.name}_features")
    backbone.delete_all_unused_submodules()
    backbone.feature_info = info  # type: ignore[assignment]
    return backbone
