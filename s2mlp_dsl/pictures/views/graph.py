"""The torch.fx graph, each node in the frame of the statement that it comes from."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphviz import Digraph

from s2mlp_dsl.pictures.labels import Text, add_node, new_graph, paragraph, set_frame
from s2mlp_dsl.pictures.picture import Picture
from s2mlp_dsl.pictures.theme import Theme
from s2mlp_dsl.pictures.views import View

if TYPE_CHECKING:
    from s2mlp_dsl.pictures.fx_graph import TracedNode
    from s2mlp_dsl.program import Program

MOST_NODES = 400


class GraphView(View):
    api = 1
    doc = (
        "the torch.fx graph of the compiled model, its nodes framed by statement "
        "(needs PyTorch)"
    )
    needs_torch = True

    def draw(self, program: "Program", theme: Theme, **options: str) -> Picture:
        from s2mlp_dsl.pictures.fx_graph import trace

        module = program.build(lowering="select")  # every step of it can be traced
        return draw_graph(program.model.name, trace(program.model, module), theme)


def draw_graph(name: str, nodes: Sequence["TracedNode"], theme: Theme) -> Picture:
    """The traced graph of a model of that name."""
    graph = new_graph(
        name,
        theme,
        graph="nodesep=0.15 ranksep=0.25",
        node="shape=plain fontsize=9",
        edge=f"color={theme.ink} penwidth=0.7 arrowsize=0.5",
    )
    shown = nodes[:MOST_NODES]
    names = {node.name for node in shown}
    _frames(graph, "", shown, theme)
    for node in shown:
        for tail in node.inputs:
            if tail in names:
                graph.edge(tail, node.name)
    if hidden := len(nodes) - len(shown):
        text = Text(f"… and {hidden:,} more nodes", 9, theme.quiet)
        add_node(graph, ".rest", paragraph(text, padding=2))
    words = "The lowered graph, grouped by statement."
    return Picture(graph, f"torch.fx graph of {name}", words)


def _frames(
    graph: Digraph, path: str, nodes: Sequence["TracedNode"], theme: Theme
) -> None:
    """The nodes of a path, those of deeper paths in frames."""
    inner: dict[str, list[TracedNode]] = {}
    for node in nodes:
        rest = node.statement[len(path) + 1 :] if path else node.statement
        child = rest.split(".")[0]
        # A module of torch.nn is one node, which states its name: it needs no frame.
        is_alone = node.kind == "call_module" and "." not in rest
        if node.statement == path or is_alone or not child:
            _node(graph, node, theme)
        else:
            inner.setdefault(f"{path}.{child}" if path else child, []).append(node)
    for name, within in inner.items():
        last = name.rpartition(".")[2]
        low, _, high = last.partition("-")
        count = f"× {int(high) - int(low) + 1}" if high and low.isdigit() else last
        with graph.subgraph(name=f"cluster_{name}") as cluster:
            title = Text(count, 9, theme.ink, bold=True)
            set_frame(cluster, theme, [title], name, "margin=6")
            _frames(cluster, name, within, theme)


def _node(graph: Digraph, node: "TracedNode", theme: Theme) -> None:
    fill = theme.shades[1] if node.kind == "call_module" else theme.plain
    text = Text(node.words, 9, theme.ink)
    markup = paragraph(text, padding=1, border=theme.border, fill=fill)
    add_node(graph, node.name, markup, f"{node.kind} {node.name}")
