"""A backbone: a built module that returns maps on the way instead of its result."""

import copy
import re
from collections.abc import Callable, Sequence
from typing import Any

from torch import fx, nn

from s2mlp_dsl.analysis.dataflow import Place, dataflow
from s2mlp_dsl.diagnostics.suggest import listed
from s2mlp_dsl.ir.program import Model
from s2mlp_dsl.ir.shape import Map, Shape
from s2mlp_dsl.lower.trace import statement_nodes, trace

_NO_LIST = "features are a list of names: features=[{asked!r}]"
_NO_NAMES = "features names no statement; choose from {known}"
_NO_STATEMENT = "no statement of {model} is called `{asked}`; choose from {known}"
_AMBIGUOUS = "several statements of {model} are labelled `{asked}`; choose from {known}"


class NoFeature(Exception):
    """No statement has this name, or several have."""

    exit_code = 2


class FeatureInfo(list[dict[str, Any]]):
    """A row for each map: its `module`, `num_chs` and `reduction`, as timm has them."""

    def channels(self) -> list[int]:
        return [row["num_chs"] for row in self]

    def reduction(self) -> list[int | None]:
        return [row["reduction"] for row in self]

    def module_name(self) -> list[str]:
        return [row["module"] for row in self]


class Backbone(fx.GraphModule):
    """Images to a list of maps, which `feature_info` describes."""

    feature_info: FeatureInfo

    @classmethod
    def of(cls, root: nn.Module, graph: fx.Graph, info: FeatureInfo) -> "Backbone":
        made = cls(root, graph, cls.__name__)
        made.feature_info = info
        return made

    # A GraphModule copies what its graph uses.
    def __deepcopy__(self, memo: dict[int, Any]) -> fx.GraphModule:
        made = super().__deepcopy__(memo)
        made.feature_info = copy.deepcopy(self.feature_info, memo)  # type: ignore[assignment]
        return made

    def __copy__(self) -> "Backbone":
        return Backbone.of(self, self.graph, self.feature_info)

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, super().__reduce__()


def _unpickled(rebuild: Callable[..., Any], arguments: tuple[Any, ...]) -> Backbone:
    made = rebuild(*arguments)
    return Backbone.of(made, made.graph, made.feature_info)


def with_features(model: Model, module: nn.Module, names: Sequence[str]) -> Backbone:
    """A module that maps images to a list: the result of each named statement.

    A name is a label, the path of a module (`stack`, `stack.3.linear1`) or an iteration
    of a stack (`stack[3]`). Maps are [batch, channels, height, width], as detection and
    segmentation code takes them. Statements after the last of them are removed with
    their weights; the others keep their names. Raises `NoFeature`.
    """
    places = _places(model, names)
    traced = trace(module, model)
    graph = traced.graph
    nodes = {name: node for node, name, _ in statement_nodes(graph)}
    (end,) = (node for node in graph.nodes if node.op == "output")
    found, info = [], FeatureInfo()
    with graph.inserting_before(end):
        for name, place in zip(names, places, strict=True):
            node = nodes[place.node]
            if isinstance(place.shape, Map):
                last = len(place.shape.grid) + 1
                node = graph.call_method("permute", (node, 0, last, *range(1, last)))
            found.append(node)
            info.append(feature_row(model, place.path or name, place.shape))
    end.args = (found,)
    graph.eliminate_dead_code()
    backbone = Backbone.of(traced, graph, info)
    backbone.delete_all_unused_submodules()
    return backbone


def feature_row(model: Model, name: str, shape: Shape) -> dict[str, Any]:
    """A row of timm's `feature_info`; tokens and vectors have no reduction."""
    reduction = None
    if isinstance(shape, Map):
        reduction = round(model.input_size[-1] / shape.width)
    return {"module": name, "num_chs": shape.channels, "reduction": reduction}


def _places(model: Model, names: Sequence[str]) -> list[Place]:
    """Where the named statements are. Raises `NoFeature`."""
    graph = dataflow(model).graph
    labels, paths = graph["labels"], graph["paths"]
    unique = [label for label, at in labels.items() if len(at) == 1]
    known = listed(dict.fromkeys([*unique, *(p for p in paths if "." not in p)]))
    if isinstance(names, str):
        raise NoFeature(_NO_LIST.format(asked=names))
    if not names:
        raise NoFeature(_NO_NAMES.format(known=known))

    def place(name: str) -> Place:
        path, at = name, labels.get(name, ())
        iteration = re.fullmatch(r"(.+)\[(\d+)\]", name)
        if iteration:
            path = f"{place(iteration[1]).path}.{int(iteration[2])}"
        found: Place | None = at[0] if len(at) == 1 else paths.get(path)
        if found is None:
            message = _AMBIGUOUS if at else _NO_STATEMENT
            raise NoFeature(message.format(model=model.name, asked=name, known=known))
        return found

    return [place(name) for name in names]
