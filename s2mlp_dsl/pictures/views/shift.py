"""Shifts as the paper's figure 2 draws them: a grid, and arrows out of its middle."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphviz import Digraph, escape

from s2mlp_dsl.ir.program import Model, Shift, ShiftGroup
from s2mlp_dsl.ir.walk import ops_in
from s2mlp_dsl.pictures.labels import (
    Text,
    add_node,
    attributes,
    label,
    new_graph,
    paragraph,
    row,
    table,
)
from s2mlp_dsl.pictures.picture import Picture
from s2mlp_dsl.pictures.shifts import arrows, edge_rule, moves_of, share, signs_of
from s2mlp_dsl.pictures.theme import LIGHT, Theme
from s2mlp_dsl.pictures.views import View

if TYPE_CHECKING:
    from s2mlp_dsl.program import Program

CELL, GAP, LINE = 46, 30, 16  # points
ACROSS = 3  # grids in a row
FARTHEST = 4  # steps from the middle that a grid shows
# With more arrows than this a grid is a knot; shares and colours say the same.
MOST_ARROWS = 9
MOST_SHIFTS = 12
MOST_LISTED, MOST_DESCRIBED = 4, 16
INCH = 72  # points
_CELL = attributes(
    f"shape=box fixedsize=true style=filled width={CELL / INCH} height={CELL / INCH}"
)
_ARROW = attributes("headclip=false penwidth=2.2 arrowsize=0.8")


class ShiftView(View):
    api = 1
    doc = (
        "a grid per distinct shift: arrows show where channel groups move, "
        "numbers their shares"
    )

    def draw(self, program: "Program", theme: Theme, **options: str) -> Picture:
        name, grids = program.model.name, _grids_of(program.model)
        words = ". ".join(grid.in_words for grid in grids) or "No shift."
        return Picture(_draw(name, grids, theme), f"shifts of {name}", words)


def draw_shift(shift: Shift, theme: Theme = LIGHT) -> Picture:
    """The grid of one shift."""
    grid = Grid(shift, (shift.channels,))
    return Picture(_draw(shift.name, [grid], theme), shift.name, grid.in_words)


@dataclass(frozen=True)
class Grid:
    """What is drawn of a shift that a model uses on maps of so many `channels`."""

    shift: Shift
    channels: tuple[int, ...]

    @property
    def steps(self) -> tuple[int, int]:
        """Steps from the middle to the border, right and down."""
        near = [group for group in self.shift.groups if _distance(group) <= FARTHEST]
        right, down = (abs(g.right) for g in near), (abs(g.down) for g in near)
        return max([1, *right]), max([1, *down])

    @property
    def places(self) -> dict[tuple[int, int], list[ShiftGroup]]:
        """The groups that the grid shows, by their steps right and down."""
        found: defaultdict[tuple[int, int], list[ShiftGroup]] = defaultdict(list)
        for group in self.shift.groups:
            # The grid is one frame: what moves in time is listed beside it.
            if _distance(group) <= FARTHEST and not group.later:
                found[group.right, group.down].append(group)
        return dict(found)

    def head(self, theme: Theme) -> list[Text]:
        """The lines above: the title, the channels, and what the grid cannot show."""
        groups = self.shift.groups
        counts = ", ".join(f"{channels:,}" for channels in self.channels)
        notes = [f"{counts} channels in {len(groups)} groups"]
        moving = [group for group in groups if not group.later]
        farther = [group for group in moving if _distance(group) > FARTHEST]
        later = [group for group in groups if group.later]
        for words, listed in (("farther", farther), ("in time", later)):
            if listed:
                more = ["…"] if len(listed) > MOST_LISTED else []
                said = [*map(self._described, listed[:MOST_LISTED]), *more]
                notes.append(f"{words}: {', '.join(said)}")
        title = Text(self._title, 11, theme.ink, bold=True)
        return [title, *(Text(note, 9, theme.quiet) for note in notes)]

    @property
    def in_words(self) -> str:
        groups = self.shift.groups[:MOST_DESCRIBED]
        return f"{self._title}: {', '.join(map(self._described, groups))}"

    @property
    def _title(self) -> str:
        return f"{self.shift.name}, {edge_rule(self.shift)}"

    def _described(self, group: ShiftGroup) -> str:
        """`→9 1/2`."""
        return f"{arrows(group)} {share(group.channels, self.shift)}"


def _distance(group: ShiftGroup) -> int:
    return max(abs(group.right), abs(group.down))


def _grids_of(model: Model) -> list[Grid]:
    """The distinct shifts of a model, in order, whatever their channels."""
    found: defaultdict[object, list[Shift]] = defaultdict(list)
    for op in ops_in(model):
        for _, value in op.args:
            if isinstance(value, Shift) and value.groups:
                found[moves_of(value)].append(value)
    return [
        Grid(same[0], tuple(dict.fromkeys(shift.channels for shift in same)))
        for same in found.values()
    ]


def _draw(name: str, grids: Sequence[Grid], theme: Theme) -> Digraph:
    """Grids in rows.

    Every cell is a node at a computed place (layout `neato`), so that arrows can cross
    cells.
    """
    page = "layout=neato outputorder=nodesfirst"
    graph = new_graph(name, theme, graph=page, node="fontsize=11 penwidth=0.8")
    y = 0.0
    shown = list(enumerate(grids[:MOST_SHIFTS], start=1))
    for start in range(0, len(shown), ACROSS):
        x, height = 0.0, 0
        for number, grid in shown[start : start + ACROSS]:
            head, (right, down) = grid.head(theme), grid.steps
            width = max((2 * right + 1) * CELL, *(text.width + 8 for text in head))
            _add_text(graph, f"shift{number}", x, y, width, head)
            top = LINE * len(head)
            _add_grid(graph, theme, f"shift{number}", grid, x, y - top)
            x += width + GAP
            height = max(height, (2 * down + 1) * CELL + top)
        y -= height + GAP
    hidden = len(grids) - MOST_SHIFTS
    rest = f"… and {hidden} more shifts" if hidden > 0 else ""
    if words := rest if grids else "no shift in this model":
        text = Text(words, 10, theme.ink)
        _add_text(graph, "rest", 0, y, text.width + 8, [text])
    return graph


def _add_grid(
    graph: Digraph, theme: Theme, node: str, grid: Grid, left: float, top: float
) -> None:
    """The cells and arrows of a grid, in points; y points up."""
    (far, deep), places = grid.steps, grid.places
    for down in range(-deep, deep + 1):
        for right in range(-far, far + 1):
            x, y = left + (right + far + 0.5) * CELL, top - (down + deep + 0.5) * CELL
            graph.node(
                f"{node}.{right}.{down}",
                pos=_pos(x, y),
                color=theme.line,
                # Out of the way of the arrow, which ends in the middle.
                labelloc="t" if down < 0 else "b",
                **_content(grid.shift, places.get((right, down), []), theme),
                **_CELL,
            )
    moving = [place for place in places if place != (0, 0)]
    for right, down in moving if len(moving) <= MOST_ARROWS else []:
        group = places[right, down][0]
        graph.edge(
            f"{node}.0.0",
            f"{node}.{right}.{down}",
            # The middle has a share of its own if some channels stay.
            tailclip=str((0, 0) in places).lower(),
            color=theme.arrow(signs_of(group)),
            tooltip=escape(arrows(group)),
            **_ARROW,
        )


def _content(
    shift: Shift, groups: Sequence[ShiftGroup], theme: Theme
) -> dict[str, str]:
    """The share of the channels that move to a cell, on the colour of their way."""
    if not groups:
        tooltip = "no group moves here"
        return {"label": "", "fillcolor": theme.plain, "tooltip": tooltip}
    text = str(share(sum(group.channels for group in groups), shift))
    # As large as the cell has room for.
    sizes = (Text(text, size, theme.ink) for size in (11, 9, 8, 7, 6))
    fitting = (sized for sized in sizes if sized.width < CELL - 8)
    shown = next(fitting, Text("…", 9, theme.ink))
    return {
        "label": label(table(row(f"<TD>{shown.markup}</TD>"), padding=4)),
        "fillcolor": theme.tint(signs_of(groups[0])),
        "tooltip": escape(f"{' and '.join(dict.fromkeys(map(arrows, groups)))} {text}"),
    }


def _add_text(
    graph: Digraph, node: str, x: float, y: float, width: float, lines: Sequence[Text]
) -> None:
    """Left-aligned lines; (x, y) is the upper left corner."""
    pos = _pos(x + width / 2, y - LINE / 2 * len(lines))
    markup = paragraph(*lines, least=width, padding=1)
    add_node(graph, node, markup, shape="plain", pos=pos)


def _pos(x: float, y: float) -> str:
    return f"{x / INCH:.4f},{y / INCH:.4f}!"
