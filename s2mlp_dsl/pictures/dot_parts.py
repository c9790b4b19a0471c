"""The parts of a diagram that say something: its caption, boxes and frames.

Each function draws one thing into a graph or a cluster of the `graphviz`
package. Lengths are points.
"""

import math
import textwrap
from collections.abc import Sequence

from graphviz import Digraph, escape

from s2mlp_dsl.pictures.dot_label import (
    FONT,
    PADDING,
    Text,
    cell,
    label,
    lines,
    row,
    table,
)
from s2mlp_dsl.pictures.theme import Theme

NAME_SIZE, TITLE_SIZE, MODEL_SIZE, FIGURES_SIZE = 10, 11, 13, 9

# Keeps a name clear of its box's round corner.
INSET = "\N{NO-BREAK SPACE}" * 2
# Bold text stands higher in its line than in the middle: points above it.
HEADROOM = 3
# What the figures of a box need at most, how far boxes follow the longest name
# to be equally wide (and still have room for the title of a frame in a half),
# and where a caption breaks.
_FIGURES_WIDTH = Text("8.88 M params · 8.88 M MACs", FIGURES_SIZE, "").width
_NARROWEST_NAME, _WIDEST_NAME = 140, 240
_CAPTION_WIDTH = 400
_CAPTION_COLUMNS = 62


class Pen:
    """Draws in the colours of a theme, all boxes wide enough for `names`."""

    def __init__(self, theme: Theme, names: Sequence[str] = ()) -> None:
        self.theme = theme
        texts = [Text(INSET + name, NAME_SIZE, "", bold=True) for name in names]
        widest = max((one.width for one in texts), default=0)
        fitting = min(max(widest, _NARROWEST_NAME), _WIDEST_NAME)
        self.name_width = fitting + 2 * PADDING
        self.figures_width = _FIGURES_WIDTH + 2 * PADDING

    def canvas(self, name: str, doc: str, totals: Sequence[str]) -> Digraph:
        """An empty picture with the caption of a model."""
        ink, quiet = self.theme.ink, self.theme.quiet
        texts = [
            Text(one, MODEL_SIZE, ink, bold=True)
            for one in _broken(name, MODEL_SIZE, _CAPTION_WIDTH)
        ]
        wrapped = textwrap.wrap(doc, _CAPTION_COLUMNS, max_lines=4, placeholder=" …")
        texts += [Text(one, NAME_SIZE, quiet) for one in wrapped]
        texts += [Text(one, NAME_SIZE, ink) for one in totals]
        gap = row('<TD HEIGHT="10"></TD>')
        key = row(f'<TD ALIGN="LEFT">{self._key()}</TD>')
        caption = table(gap, *(row(cell(one)) for one in texts), key, padding=1)
        return Digraph(
            name,
            graph_attr={
                "rankdir": "TB",
                "nodesep": "0.25",
                "ranksep": "0.09",
                "bgcolor": self.theme.paper,
                "fontname": FONT,
                "labelloc": "b",
                "labeljust": "l",
                "label": label(caption),
                "tooltip": escape(name),
            },
            node_attr={"shape": "plain", "fontname": FONT, "fontsize": "10"},
            edge_attr={
                "fontname": FONT,
                "color": ink,
                "penwidth": "0.8",
                "arrowsize": "0.5",
            },
        )

    def _key(self) -> str:
        """What the shades of boxes mean."""
        words = ("below 1 % of the MACs", "from 1 %", "from 5 %", "from 20 %")
        cells = [
            lines(Text(word, FIGURES_SIZE, self.theme.quiet), fill=fill)
            for word, fill in zip(words, self.theme.shades, strict=True)
        ]
        return table(row(*cells), padding=1, spacing=2)

    def box(
        self,
        graph: Digraph,
        node: str,
        name: str,
        beside: str,
        tooltip: str,
        *,
        fill: str,
        below: str = "",
        more: Sequence[str] = (),
        narrow: bool = False,
    ) -> None:
        """A box: `name`, what stands `beside` and `below` it, `more` table rows.

        A narrow box has beneath the name what else stands beside it.
        """
        ink, quiet = self.theme.ink, self.theme.quiet
        gap = f'<TD COLSPAN="2" CELLPADDING="0" HEIGHT="{HEADROOM}"></TD>'
        names = [
            Text(INSET + line, NAME_SIZE, ink, bold=True)
            for line in _broken(name, NAME_SIZE, _WIDEST_NAME)
        ]
        under = [*([beside] if narrow else []), below]
        if narrow:
            rows = [row(cell(one, self.figures_width, span=2)) for one in names]
        else:
            first, *others = (cell(one, self.name_width) for one in names)
            figures = Text(beside, FIGURES_SIZE, quiet)
            second = cell(figures, self.figures_width, level=NAME_SIZE)
            rows = [row(first, second), *map(row, others)]
        rows = [row(gap), *rows]
        for said in filter(None, under):
            rows.append(row(cell(Text(INSET + said, FIGURES_SIZE, quiet), span=2)))
        if more:
            inner = table(*more, padding=3, spacing=3)
            rows.append(row(f'<TD COLSPAN="2">{inner}</TD>'))
        markup = table(*rows, border=self.theme.border, fill=fill)
        graph.node(node, label(markup), tooltip=escape(tooltip))

    def pill(self, graph: Digraph, node: str, name: str, tooltip: str) -> None:
        """A small box without figures."""
        text = Text(name, FIGURES_SIZE, self.theme.quiet)
        width = math.ceil(text.width + 2 * PADDING)
        middle = f'<TD WIDTH="{width}">{text.markup}</TD>'
        markup = table(row(middle), border=self.theme.line, fill=self.theme.plain)
        graph.node(node, label(markup), tooltip=escape(tooltip))

    def frame(
        self,
        cluster: Digraph,
        title: str,
        figures: str,
        tooltip: str,
        *,
        narrow: bool = False,
    ) -> None:
        """The border of a cluster, with its title and figures."""
        # The flow enters in the middle: the title stays left of it.
        width = self.figures_width + (0 if narrow else self.name_width)
        half = width / 2 - PADDING
        texts = [
            Text(one, TITLE_SIZE, self.theme.ink, bold=True)
            for one in _broken(title, TITLE_SIZE, half)
        ]
        quiet = self.theme.quiet
        texts += [
            Text(one, FIGURES_SIZE, quiet)
            for one in _fitted(figures, FIGURES_SIZE, half + PADDING)
        ]
        cluster.attr(
            label=label(table(*(row(cell(one)) for one in texts), padding=0)),
            labeljust="l",
            labelloc="t",
            peripheries="1",
            style="rounded,filled",
            fillcolor=self.theme.stacked,
            color=self.theme.line,
            penwidth="0.8",
            margin="10",
            tooltip=escape(tooltip),
        )


def _fitted(text: str, size: int, width: float) -> list[str]:
    """A text in lines of at most `width` points, broken between words."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if Text(longer, size, "").width <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _broken(name: str, size: int, width: float) -> list[str]:
    """A bold name in at most three lines, each within `width` points or nearly."""
    columns = int(width / Text("n", size, "", bold=True).width)
    return textwrap.wrap(name, columns, max_lines=3, placeholder=" …")
