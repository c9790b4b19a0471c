"""HTML-like labels for DOT, safe for any text and wide enough for any font.

Every text is left-aligned in a cell. The cell's width, in points, is computed here as
an upper bound for a wide font: renderers measure with the fonts they have (the built-in
one takes a letter outside ASCII for a space), and a viewer may show an SVG in yet
another font. With the bound, text stays inside its box in all of them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from graphviz import Digraph
from graphviz import escape as escape_dot

from s2mlp_dsl.escape import visible, xml
from s2mlp_dsl.pictures.theme import Theme

# The only family that the built-in renderer has metrics for; picture.py adds fallbacks.
FONT = "Arial"
PADDING = 4

# Advance in em of the characters of DejaVu Sans, the widest face that a sans-serif
# family falls back to: each character has at most this advance, all others 1 em.
_ADVANCES = {
    0.36: " .,:;'|/\\ijlI·\N{NO-BREAK SPACE}",
    0.47: '()[]-!"frtJ',
    0.65: "0123456789abcdeghknopqsuvxyz_*?${}`",
    0.85: "ABCDEFGHKLNOPQRSTUVXYZw+<>=~#^&×−",
}
_EM = {character: em for em, several in _ADVANCES.items() for character in several}
_BOLD = 1.12


@dataclass(frozen=True)
class Text:
    """Part of a line: `size` in whole points, `colour` as `#rrggbb`."""

    text: str
    size: int
    colour: str
    bold: bool = False

    @property
    def width(self) -> float:
        """An upper bound in points."""
        em = sum(_EM.get(character, 1.0) for character in visible(self.text))
        return em * self.size * (_BOLD if self.bold else 1)

    @property
    def markup(self) -> str:
        # DOT gives `\N` a meaning in labels.
        inner = xml(self.text).replace("\\", "&#92;&#92;")
        inner = f"<B>{inner}</B>" if self.bold else inner
        return f'<FONT POINT-SIZE="{self.size}" COLOR="{self.colour}">{inner}</FONT>'


def cell(
    text: Text | None = None, least: float = 0, span: int = 1, level: int = 0
) -> str:
    """A cell with one line of text, at least `least` points wide.

    `level` is the size of a bold text beside it, with which it shares its baseline.
    """
    columns = f' COLSPAN="{span}"' if span > 1 else ""
    # An empty FONT is a syntax error to the system's dot.
    inside = text.markup if text and text.text else ""
    # Renderers set a line of one plain text lower than any other.
    inside += f'<FONT POINT-SIZE="{level}"> </FONT>' if inside and level else ""
    needed = text.width + 2 * PADDING if text else 0
    width = math.ceil(max(least, needed))
    return f'<TD ALIGN="LEFT" WIDTH="{width}"{columns}>{inside}</TD>'


def filled_cell(*lines: Text, fill: str) -> str:
    """A cell with a background and several lines of text."""
    width = math.ceil(max(line.width for line in lines) + 2 * PADDING)
    inside = "".join(f'{line.markup}<BR ALIGN="LEFT"/>' for line in lines)
    return (
        f'<TD ALIGN="LEFT" BALIGN="LEFT" WIDTH="{width}" BGCOLOR="{fill}">{inside}</TD>'
    )


def row(*cells: str) -> str:
    return f"<TR>{''.join(cells)}</TR>"


def rows_of(cells: Sequence[str], across: int) -> list[str]:
    """Rows of a table, of so many cells each."""
    return [row(*cells[at : at + across]) for at in range(0, len(cells), across)]


def table(
    *rows: str, border: str = "", fill: str = "", padding: int = 2, spacing: int = 0
) -> str:
    """A table of `rows`. `border` is the border's colour; by default there is none."""
    style = f'CELLBORDER="0" CELLSPACING="{spacing}" CELLPADDING="{padding}"'
    style += f' BGCOLOR="{fill}"' if fill else ""
    style += f' COLOR="{border}" STYLE="ROUNDED"' if border else ""
    return f'<TABLE BORDER="{1 if border else 0}" {style}>{"".join(rows)}</TABLE>'


def paragraph(
    *lines: Text, least: float = 0, border: str = "", fill: str = "", padding: int = 0
) -> str:
    """Lines of text, one below the other, each at least `least` points wide."""
    rows = (row(cell(line, least)) for line in lines)
    return table(*rows, border=border, fill=fill, padding=padding)


def label(markup: str) -> str:
    """Markup as the `graphviz` package wants it, in angle brackets."""
    return f"<{markup}>"


def attributes(text: str, **more: str) -> dict[str, str]:
    """Attributes in DOT's notation, such as `shape=box width=0.2`, and `more`."""
    return dict(pair.split("=") for pair in text.split()) | more


def add_node(
    graph: Digraph, node: str, markup: str, tooltip: str = "", **more: str
) -> None:
    """A node whose label is `markup`."""
    if tooltip:
        more["tooltip"] = escape_dot(tooltip)
    graph.node(node, label(markup), **more)


def new_graph(
    name: str, theme: Theme, graph: str, node: str, edge: str = "", **more: str
) -> Digraph:
    """An empty graph on the theme's paper, and the attributes of its parts.

    `more` are attributes of the graph.
    """
    common = {"bgcolor": theme.paper, "fontname": FONT, "tooltip": escape_dot(name)}
    return Digraph(
        name,
        graph_attr=attributes(graph, **common, **more),
        node_attr=attributes(node, fontname=FONT),
        edge_attr=attributes(edge),
    )


def set_frame(
    cluster: Digraph, theme: Theme, title: Sequence[Text], tooltip: str, style: str
) -> None:
    """The border of a cluster, with a title."""
    cluster.attr(
        label=label(paragraph(*title)),
        fillcolor=theme.stacked,
        color=theme.line,
        tooltip=escape_dot(tooltip),
        **attributes(f"labeljust=l style=rounded,filled {style}"),
    )
