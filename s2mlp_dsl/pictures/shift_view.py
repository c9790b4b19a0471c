"""Shifts as figure 2 of the paper draws them: a grid, and arrows out of its middle.

Every cell stands at a place that is computed here (dot's `neato` layout with
pinned nodes), so that the arrows are lines of their own and no table.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from graphviz import Digraph, escape

from s2mlp_dsl.ir.program import ShiftGroup
from s2mlp_dsl.pictures.dot_label import FONT, Text, cell, label, row, table
from s2mlp_dsl.pictures.dot_shift import arrows, signs_of
from s2mlp_dsl.pictures.shifts import Drawn, share
from s2mlp_dsl.pictures.theme import LIGHT, Theme

CELL = 46  # points
GAP = 30
ACROSS = 3  # grids in a row
# With more arrows than this a grid is a knot: places and colours say the same.
MOST_ARROWS = 9
MOST_SHIFTS = 12
POINTS_PER_INCH = 72


def draw_shifts(name: str, shifts: Sequence[Drawn], theme: Theme) -> Digraph:
    """A grid for each of the distinct shifts of a model of that name."""
    graph = Digraph(
        name,
        graph_attr={
            "layout": "neato",
            "bgcolor": theme.paper,
            "fontname": FONT,
            "outputorder": "nodesfirst",
            "tooltip": escape(name),
        },
        node_attr={"fontname": FONT, "fontsize": "11", "penwidth": "0.8"},
    )
    y = 0.0
    for line in _lines(shifts[:MOST_SHIFTS]):
        x = 0.0
        for number, drawn in line:
            _Grid(graph, theme, f"shift{number}", drawn).at(x, y)
            x += _width(drawn) + GAP
        y -= max(_sides(drawn)[1] + _head_height(drawn) for _, drawn in line) + GAP
    hidden = len(shifts) - MOST_SHIFTS
    rest = f"… and {hidden} more shifts" if hidden > 0 else ""
    if said := rest if shifts else "no shift in this model":
        text = Text(said, 10, theme.ink)
        _words(graph, "rest", 0, y, text.width + 8, [text])
    return graph


def _lines(shifts: Sequence[Drawn]) -> Iterator[list[tuple[int, Drawn]]]:
    numbered = list(enumerate(shifts, start=1))
    for start in range(0, len(numbered), ACROSS):
        yield numbered[start : start + ACROSS]


def _sides(drawn: Drawn) -> tuple[int, int]:
    """Width and height of the grid in points."""
    right, down = drawn.steps
    return (2 * right + 1) * CELL, (2 * down + 1) * CELL


def _texts(drawn: Drawn, theme: Theme) -> list[Text]:
    title = Text(drawn.title, 11, theme.ink, bold=True)
    return [title, *(Text(one, 9, theme.quiet) for one in drawn.notes)]


def _width(drawn: Drawn) -> float:
    widths = [one.width + 8 for one in _texts(drawn, LIGHT)]
    return max(_sides(drawn)[0], *widths)


def _head_height(drawn: Drawn) -> int:
    return 16 * (1 + len(drawn.notes))


@dataclass(frozen=True)
class _Grid:
    """One shift: its name above, the grid, the arrows."""

    graph: Digraph
    theme: Theme
    name: str
    drawn: Drawn

    def at(self, x: float, y: float) -> None:
        """Draw with the upper left corner there; y points up."""
        texts = _texts(self.drawn, self.theme)
        _words(self.graph, self.name, x, y, _width(self.drawn), texts)
        (far, deep), places = self.drawn.steps, self.drawn.places
        top = y - _head_height(self.drawn)
        for down in range(-deep, deep + 1):
            for right in range(-far, far + 1):
                over, under = (right + far + 0.5) * CELL, (down + deep + 0.5) * CELL
                groups = places.get((right, down), [])
                self._cell(right, down, (x + over, top - under), groups)
        moving = [place for place in places if place != (0, 0)]
        if len(moving) <= MOST_ARROWS:
            for right, down in moving:
                self._arrow(right, down, places[right, down][0])

    def _node(self, right: int, down: int) -> str:
        return f"{self.name}.{right}.{down}"

    def _cell(
        self,
        right: int,
        down: int,
        centre: tuple[float, float],
        groups: Sequence[ShiftGroup],
    ) -> None:
        theme, shift = self.theme, self.drawn.shift
        fill = theme.tint(signs_of(groups[0])) if groups else theme.plain
        said = str(share(sum(one.channels for one in groups), shift)) if groups else ""
        markup = table(row(f"<TD>{_fitting(said, theme).markup}</TD>"), padding=4)
        moved = " and ".join(dict.fromkeys(map(arrows, groups)))
        self.graph.node(
            self._node(right, down),
            label(markup) if said else "",
            tooltip=escape(f"{moved} {said}".strip() or "no group moves here"),
            pos=_pos(*centre),
            shape="box",
            fixedsize="true",
            width=str(CELL / POINTS_PER_INCH),
            height=str(CELL / POINTS_PER_INCH),
            style="filled",
            fillcolor=fill,
            color=theme.line,
            # Out of the way of the arrow, which ends in the middle.
            labelloc="t" if down < 0 else "b",
        )

    def _arrow(self, right: int, down: int, group: ShiftGroup) -> None:
        self.graph.edge(
            self._node(0, 0),
            self._node(right, down),
            headclip="false",
            # The middle has a share of its own where some channels stay.
            tailclip=str((0, 0) in self.drawn.places).lower(),
            color=self.theme.arrow(signs_of(group)),
            penwidth="2.2",
            arrowsize="0.8",
            tooltip=escape(arrows(group)),
        )


def _fitting(said: str, theme: Theme) -> Text:
    """A share, as large as a cell has room for."""
    sizes = (Text(said, size, theme.ink) for size in (11, 9, 8, 7, 6))
    return next((one for one in sizes if one.width < CELL - 8), Text("…", 9, theme.ink))


def _words(
    graph: Digraph, name: str, x: float, y: float, width: float, texts: Sequence[Text]
) -> None:
    """Lines of text at the left, their upper left corner at (x, y)."""
    markup = table(*(row(cell(one, width)) for one in texts), padding=1)
    centre = x + width / 2, y - 8 * len(texts)
    graph.node(name, label(markup), shape="plain", pos=_pos(*centre))


def _pos(x: float, y: float) -> str:
    return f"{x / POINTS_PER_INCH:.4f},{y / POINTS_PER_INCH:.4f}!"
