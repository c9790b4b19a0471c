"""The caption, the boxes and the frames of a model's picture. Lengths are in points."""

import math
import textwrap
from collections.abc import Sequence

from graphviz import Digraph

from s2mlp_dsl.pictures.labels import (
    FONT,
    PADDING,
    Text,
    cell,
    filled_cell,
    label,
    new_graph,
    row,
    set_frame,
    table,
)
from s2mlp_dsl.pictures.theme import Theme

NAME_SIZE, TITLE_SIZE, MODEL_SIZE, FIGURES_SIZE = 10, 11, 13, 9

# Keeps a name clear of the round corners of its box.
_INSET = "\N{NO-BREAK SPACE}" * 2
# Bold text sits high in its line: space above it, for the middle.
_HEADROOM = 3
# The most that the figures of a box need.
_FIGURES_WIDTH = Text("8.88 M params · 8.88 M MACs", FIGURES_SIZE, "").width
# All boxes are as wide as the longest name, within these limits. The lower one leaves
# room for a frame's title in half of the width.
_NARROWEST_NAME, _WIDEST_NAME = 140, 240
_CAPTION_WIDTH, _CAPTION_COLUMNS = 400, 62


class BoxStyle:
    """The colours of a theme, and boxes wide enough for `names`."""

    def __init__(self, theme: Theme, names: Sequence[str] = ()) -> None:
        self.theme = theme
        texts = [Text(_INSET + name, NAME_SIZE, "", bold=True) for name in names]
        widest = max((text.width for text in texts), default=0)
        fitting = min(max(widest, _NARROWEST_NAME), _WIDEST_NAME)
        self.name_width = fitting + 2 * PADDING
        self.figures_width = _FIGURES_WIDTH + 2 * PADDING

    def empty_picture(self, name: str, doc: str, figures: Sequence[str]) -> Digraph:
        """A picture without statements, with a caption and the legend of the shades."""
        ink, quiet = self.theme.ink, self.theme.quiet
        caption = [
            *_bold_lines(name, MODEL_SIZE, ink, _CAPTION_WIDTH),
            *(Text(line, NAME_SIZE, quiet) for line in _wrapped(doc)),
            *(Text(line, NAME_SIZE, ink) for line in figures),
        ]
        rows = [
            row('<TD HEIGHT="10"></TD>'),
            *(row(cell(text)) for text in caption),
            row(f'<TD ALIGN="LEFT">{self._legend()}</TD>'),
        ]
        return new_graph(
            name,
            self.theme,
            graph="rankdir=TB nodesep=0.25 ranksep=0.09 labelloc=b labeljust=l",
            node="shape=plain fontsize=10",
            edge=f"fontname={FONT} color={ink} penwidth=0.8 arrowsize=0.5",
            label=label(table(*rows, padding=1)),
        )

    def _legend(self) -> str:
        """What the shades of boxes mean."""
        words = ("below 1 % of the MACs", "from 1 %", "from 5 %", "from 20 %")
        cells = [
            filled_cell(Text(word, FIGURES_SIZE, self.theme.quiet), fill=fill)
            for word, fill in zip(words, self.theme.shades, strict=True)
        ]
        return table(row(*cells), padding=1, spacing=2)

    def box(
        self,
        name: str,
        figures: str,
        below: str,
        more: Sequence[str],
        *,
        fill: str,
        narrow: bool,
    ) -> str:
        """A box: `name` and `figures` side by side, a line `below`, `more` table rows.

        In a narrow box the figures are below the name.
        """
        ink, quiet = self.theme.ink, self.theme.quiet
        names = [
            Text(_INSET + line.text, NAME_SIZE, ink, bold=True)
            for line in _bold_lines(name, NAME_SIZE, ink, _WIDEST_NAME)
        ]
        rows = [row(f'<TD COLSPAN="2" CELLPADDING="0" HEIGHT="{_HEADROOM}"></TD>')]
        if narrow:
            rows += [row(cell(line, self.figures_width, span=2)) for line in names]
        else:
            first, *others = (cell(line, self.name_width) for line in names)
            beside = Text(figures, FIGURES_SIZE, quiet)
            rows.append(row(first, cell(beside, self.figures_width, level=NAME_SIZE)))
            rows += map(row, others)
        for line in (figures if narrow else "", below):
            if line:
                rows.append(row(cell(Text(_INSET + line, FIGURES_SIZE, quiet), span=2)))
        if more:
            inner = table(*more, padding=3, spacing=3)
            rows.append(row(f'<TD COLSPAN="2">{inner}</TD>'))
        return table(*rows, border=self.theme.border, fill=fill)

    def small_box(self, name: str) -> str:
        """A small box without figures, for a step that only moves values."""
        text = Text(name, FIGURES_SIZE, self.theme.quiet)
        width = math.ceil(text.width + 2 * PADDING)
        middle = f'<TD WIDTH="{width}">{text.markup}</TD>'
        return table(row(middle), border=self.theme.line, fill=self.theme.plain)

    def frame(
        self, cluster: Digraph, title: str, figures: str, tooltip: str, *, narrow: bool
    ) -> None:
        """The border of a cluster, with its title and figures."""
        # The flow enters in the middle: the title stays to the left of it.
        width = self.figures_width + (0 if narrow else self.name_width)
        half = width / 2 - PADDING
        texts = _bold_lines(title, TITLE_SIZE, self.theme.ink, half)
        texts += [
            Text(line, FIGURES_SIZE, self.theme.quiet)
            for line in _fitted(figures, FIGURES_SIZE, half + PADDING)
        ]
        style = "labelloc=t peripheries=1 penwidth=0.8 margin=10"
        set_frame(cluster, self.theme, texts, tooltip, style)


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


def _bold_lines(name: str, size: int, colour: str, width: float) -> list[Text]:
    """A name in at most three lines, each within `width` points or nearly."""
    columns = int(width / Text("n", size, "", bold=True).width)
    lines = textwrap.wrap(name, columns, max_lines=3, placeholder=" …")
    return [Text(line, size, colour, bold=True) for line in lines]


def _wrapped(doc: str) -> list[str]:
    return textwrap.wrap(doc, _CAPTION_COLUMNS, max_lines=4, placeholder=" …")
